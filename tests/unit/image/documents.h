/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents as other tools write them, byte for byte; and short ones, written with single quotes
 * to be read by people.
 */
#ifndef TESTS_UNIT_IMAGE_DOCUMENTS_H
#define TESTS_UNIT_IMAGE_DOCUMENTS_H

#include <stddef.h>
#include <string.h>

#define EMPTY_HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define EMPTY_SHA "sha256:" EMPTY_HEX

enum { DOCUMENT_MAX = 8192 };

/* `text` with double quotes for single ones, in `buf`. */
static inline const char *document(char buf[static DOCUMENT_MAX], const char *text)
{
	size_t len = strnlen(text, DOCUMENT_MAX - 1);

	memcpy(buf, text, len);
	buf[len] = '\0';
	for (char *p = strchr(buf, '\''); p; p = strchr(p, '\''))
		*p = '"';
	return buf;
}

/* clang-format off */
/* index.json of a layout, by umoci 0.4.7 */
static const char umoci_layout[] =
	"{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/vnd.oci.image"
	".manifest.v1+json\",\"digest\":\"sha256:0ac7c74bba3989a70bd8ee2e1f04b6360e2afa"
	"f9a97c39119fe47e16e5bcd4ea\",\"size\":216,\"annotations\":{\"org.opencontainer"
	"s.image.ref.name\":\"v1\"}},{\"mediaType\":\"application/vnd.oci.image.manifes"
	"t.v1+json\",\"digest\":\"sha256:52c231fb178a83f72129bbc18404e41b720b69b2886b25"
	"96aaa6c1e769af5598\",\"size\":369,\"annotations\":{\"org.opencontainers.image."
	"ref.name\":\"v2\"}}]}";

/* by umoci 0.4.7: no mediaType */
static const char umoci_manifest[] =
	"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.con"
	"fig.v1+json\",\"digest\":\"sha256:b5a5a89f15d4e6ffe12dba542ea6a76336b2bb0b801e"
	"2cf0807fd1970a4bc48d\",\"size\":629},\"layers\":[{\"mediaType\":\"application/"
	"vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"sha256:2643d93301834b66be7dbbcc"
	"2d5e9a9daadcb31453b857208ee4fb87e8c31a03\",\"size\":133}],\"annotations\":{\"k"
	"\":\"v\"}}";

/* by umoci new */
static const char umoci_empty_manifest[] =
	"{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.oci.image.con"
	"fig.v1+json\",\"digest\":\"sha256:8de53a358a34676f5690a4f4b29e562b7c5ef4d2afb9"
	"19651c78966d77f3bd78\",\"size\":133},\"layers\":[]}";

/* by umoci config */
static const char umoci_config[] =
	"{\"created\":\"2026-11-23T21:02:48.37347543Z\",\"author\":\"me\",\"architectur"
	"e\":\"amd64\",\"os\":\"linux\",\"config\":{\"User\":\"1000:1000\",\"ExposedPor"
	"ts\":{\"80/tcp\":{}},\"Env\":[\"A=b\",\"PATH=/bin\"],\"Entrypoint\":[\"/init\""
	"],\"Cmd\":[\"/bin/sh\",\"-c\"],\"Volumes\":{\"/data\":{}},\"WorkingDir\":\"/sr"
	"v\",\"Labels\":{\"x\":\"y\"},\"StopSignal\":\"SIGTERM\"},\"rootfs\":{\"type\":"
	"\"layers\",\"diff_ids\":[\"sha256:8a9db6de5da6eb048555be89963f7dd85816f5657d98"
	"d1df66748d5018895103\"]},\"history\":[{\"created\":\"2026-11-23T21:04:47.41189"
	"9077Z\",\"created_by\":\"umoci config\",\"author\":\"me\",\"empty_layer\":true"
	"},{\"created\":\"2026-11-23T21:04:47.431289563Z\",\"created_by\":\"umoci repac"
	"k\",\"author\":\"me\"}]}";

/* docker's, by skopeo 1.9.3 copy --format v2s2 */
static const char skopeo_docker_manifest[] =
	"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.docker.distribution.manif"
	"est.v2+json\",\"config\":{\"mediaType\":\"application/vnd.docker.container.ima"
	"ge.v1+json\",\"size\":629,\"digest\":\"sha256:b5a5a89f15d4e6ffe12dba542ea6a763"
	"36b2bb0b801e2cf0807fd1970a4bc48d\"},\"layers\":[{\"mediaType\":\"application/v"
	"nd.docker.image.rootfs.diff.tar.gzip\",\"size\":133,\"digest\":\"sha256:2643d9"
	"3301834b66be7dbbcc2d5e9a9daadcb31453b857208ee4fb87e8c31a03\"}]}";

/* by buildah 1.28.2 manifest push */
static const char buildah_index[] =
	"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\""
	",\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
	"\"digest\":\"sha256:dfe99d63c884037f5b4a700cd5a89a3cee7cce633223a83ab4df44398b"
	"804ecb\",\"size\":500,\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\","
	"\"variant\":\"v7\"}},{\"mediaType\":\"application/vnd.oci.image.manifest.v1+js"
	"on\",\"digest\":\"sha256:52aae004d33f8e2835dfb10e20f8a0e17efb646b54a84eb3d65ee"
	"8b00c953bf6\",\"size\":402,\"annotations\":{\"a\":\"b\"},\"platform\":{\"archi"
	"tecture\":\"amd64\",\"os\":\"linux\"}}]}";

/* by buildah 1.28.2 manifest push --format v2s2 */
static const char buildah_docker_list[] =
	"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.docker.distribution.manif"
	"est.list.v2+json\",\"manifests\":[{\"mediaType\":\"application/vnd.docker.dist"
	"ribution.manifest.v2+json\",\"size\":420,\"digest\":\"sha256:fe003f8d013f50b42"
	"d6f9c6f4f13f533bcf1922f9f013a57648c3d16c5db8e9f\",\"platform\":{\"architecture"
	"\":\"arm\",\"os\":\"linux\",\"variant\":\"v7\"}},{\"mediaType\":\"application/"
	"vnd.docker.distribution.manifest.v2+json\",\"size\":420,\"digest\":\"sha256:f5"
	"7dae80aa6f509e7a76ea9bf352250c665cae40507b20b299e94402acb41086\",\"platform\":"
	"{\"architecture\":\"amd64\",\"os\":\"linux\"}}]}";

/* docker's, by buildah 1.28.2 bud --format docker */
static const char buildah_docker_config[] =
	"{\"created\":\"2026-11-23T21:05:09.41224203Z\",\"container\":\"f2d59569661a5d5"
	"07ba30c6506479173969612f4b7138caf2637df29da28b775\",\"container_config\":{\"Ho"
	"stname\":\"f012f704af47\",\"Domainname\":\"\",\"User\":\"\",\"AttachStdin\":fa"
	"lse,\"AttachStdout\":false,\"AttachStderr\":false,\"Tty\":false,\"OpenStdin\":"
	"false,\"StdinOnce\":false,\"Env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/"
	"sbin:/usr/bin:/sbin:/bin\",\"A=b\"],\"Cmd\":[\"/f\"],\"Healthcheck\":{\"Test\""
	":[\"CMD-SHELL\",\"/f --check\"],\"Interval\":5000000000,\"Timeout\":3000000000"
	"},\"Image\":\"\",\"Volumes\":{},\"WorkingDir\":\"\",\"Entrypoint\":[],\"OnBuil"
	"d\":[\"RUN x\"],\"Labels\":{\"io.buildah.version\":\"1.28.2\"},\"Shell\":[\"/b"
	"in/sh\",\"-ec\"]},\"config\":{\"Hostname\":\"f012f704af47\",\"Domainname\":\""
	"\",\"User\":\"\",\"AttachStdin\":false,\"AttachStdout\":false,\"AttachStderr\""
	":false,\"Tty\":false,\"OpenStdin\":false,\"StdinOnce\":false,\"Env\":[\"PATH=/"
	"usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\"A=b\"],\"Cmd\""
	":[\"/f\"],\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"/f --check\"],\"Interval"
	"\":5000000000,\"Timeout\":3000000000},\"Image\":\"\",\"Volumes\":{},\"WorkingD"
	"ir\":\"\",\"Entrypoint\":[],\"OnBuild\":[\"RUN x\"],\"Labels\":{\"io.buildah.v"
	"ersion\":\"1.28.2\"},\"Shell\":[\"/bin/sh\",\"-ec\"]},\"architecture\":\"amd64"
	"\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:9ed"
	"8c5b465c3ea5a6a7ae7a97a78109ab96b94a41e2b2f75c13ecfcbbb1e94fd\"]},\"history\":"
	"[{\"created\":\"2026-11-23T21:05:09.408599314Z\",\"created_by\":\"/bin/sh -c #"
	"(nop) COPY file:619b31c3f1b34954f5d5bfcf2bc4fe2f85cbc91e61b8fec91476a86b1474ce"
	"b3 in /f \",\"empty_layer\":true},{\"created\":\"2026-11-23T21:05:09.408618192"
	"Z\",\"created_by\":\"/bin/sh -c #(nop) ENV A=b\",\"empty_layer\":true},{\"crea"
	"ted\":\"2026-11-23T21:05:09.408648638Z\",\"created_by\":\"/bin/sh -c #(nop) HE"
	"ALTHCHECK --interval=5s --timeout=3s CMD /f --check\",\"empty_layer\":true},{"
	"\"created\":\"2026-11-23T21:05:09.408658993Z\",\"created_by\":\"/bin/sh -c #(n"
	"op) ONBUILD RUN x\",\"empty_layer\":true},{\"created\":\"2026-11-23T21:05:09.4"
	"08661667Z\",\"created_by\":\"/bin/sh -c #(nop) SHELL [\\\"/bin/sh\\\",\\\"-ec"
	"\\\"]\",\"empty_layer\":true},{\"created\":\"2026-11-23T21:05:09.412935084Z\","
	"\"created_by\":\"/bin/sh -c #(nop) CMD [\\\"/f\\\"]\"}]}";
/* clang-format on */

#endif
