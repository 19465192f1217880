#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# inspect tells name, digest, platform, command, environment and layers, by name, by digest, and per platform.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
echo x >context/x
digest=$(
  build_text app context <<'END'
FROM scratch
COPY x /x
ENV A="1 2"
LABEL org.example.a=b
USER 5
WORKDIR /
ENTRYPOINT ["/x", "two words"]
CMD ["arg"]
END
)
shale inspect app | tr -s ' ' >out
layer=$(layers app)
diff -u - out >&2 <<END
Name: localhost/app:latest
Digest: $digest
Platform: $(inspect app "d['platform']")
Created: 1980-01-01T00:00:00Z
Entrypoint: ["/x","two words"]
Cmd: ["arg"]
User: 5
WorkingDir: /
Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","A=1 2"]
Label: org.example.a=b
Layer: $layer $(sed -n 's/^Layer: [^ ]* //p' out)
END
shale inspect "$digest" >by-digest
same "by digest" "$(sed -n 's/^Name: *//p' by-digest)" "$digest"
same "by name and digest" "$(inspect "app@$digest" "d['digest']")" "$digest"
same "is_indexed" "$(inspect app "d['layers'][0]['is_indexed']")" True
both=$(two_platforms both)
shale inspect --json --platform linux/arm64 both >arm.json
same "an index" "$(json arm.json "d['digest'], d['platform'], sorted(m['platform'] for m in d['manifests'])")" \
  "('$both', 'linux/arm64', ['linux/amd64', 'linux/arm64'])"
expect 8 "*linux/amd64*linux/arm64*" shale inspect --platform linux/s390x both
expect 2 "*'--platform'*" shale inspect --platform nonsense both

# Documents: byte for byte with --raw, whose digests are those that name them; else indented.
digest_of() {
  echo "sha256:$(shale inspect "$@" | sha256sum | cut -d ' ' -f 1)"
}
config=$(json "$(blob "$digest")" "d['config']['digest']")
same "--raw" "$(digest_of --raw app)" "$digest"
same "--raw --manifest" "$(digest_of --raw --manifest app)" "$digest"
same "--raw --config" "$(digest_of --raw --config app)" "$config"
same "--raw of an index" "$(digest_of --raw both)" "$both"
arm=$(json arm.json "d['manifest']")
same "--raw of a platform" "$(digest_of --raw --platform linux/arm64 both)" "$arm"
same "--raw --manifest of a platform" "$(digest_of --raw --manifest --platform linux/arm64 both)" "$arm"
for document in manifest config; do
  shale inspect --$document app >document.json
  python3 -m json.tool --sort-keys --indent 2 "$(blob "$([ $document = config ] && echo "$config" || echo "$digest")")" |
    diff -u - document.json >&2 || fail "--$document is not the document"
done
# An index without this machine's platform is a document all the same.
rm "$(blob "$(json "$(blob "$both")" "d['manifests'][0]['digest']")")" "$(blob "$arm")"
same "--raw of what cannot run" "$(digest_of --raw both)" "$both"

shale inspect --layers app | tr -s ' ' >out
same "heads" "$(head -n 1 out)" "DIGEST DIFF_ID MEDIA TYPE COMPRESSED CONTENT ENTRIES SEEKABLE"
same "a layer" "$(sed -n 2p out | sed 's/ [0-9.]* [KiB]* / SIZE /')" "$(echo "$layer" | cut -c1-19) \
$(inspect app "d['layers'][0]['diff_id'][:19]") application/vnd.oci.image.layer.v1.tar+zstd SIZE 2 B 1 embedded"
shale inspect --layers --json app >layers.json
same "in JSON" "$(json layers.json "[(l['digest'], l['size'], l['tar_size'], l['entries'], l['seekable']) for l in d]")" \
  "[('$layer', $(wc -c <"$(blob "$layer")"), $(zstd -dc "$(blob "$layer")" | wc -c), 1, 'embedded')]"
same "its members" "$(json layers.json "sorted(d[0])")" \
  "['content', 'diff_id', 'digest', 'entries', 'media_type', 'seekable', 'size', 'tar_size']"

expect 2 "*'--config', '--manifest' and '--layers' exclude*" shale inspect --config --layers app
expect 2 "*'--config', '--manifest' and '--layers' exclude*" shale inspect --config --manifest app
expect 2 "*'--raw' prints a document*" shale inspect --raw --layers app
expect 2 "*'--json' is for the report*" shale inspect --raw --json app
expect 2 "*'--json' is for the report*" shale inspect --config --json app
expect 8 "*no image*" shale inspect --raw nope
# A document that was changed is not printed.
chmod u+w "$(blob "$config")"
sed -i 's/linux/linuy/' "$(blob "$config")"
for options in --config "--config --raw"; do
  # shellcheck disable=SC2086 # words
  expect 5 "shale: *the content has another digest" shale inspect $options app
done
expect 8 "*no image 'localhost/ap:latest'*localhost/app:latest*" shale inspect ap
expect 2 '*' shale inspect 'NOT A NAME'
