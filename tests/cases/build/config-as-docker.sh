#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Config and history are, member by member, what the Dockerfile reference and BuildKit make of the same file.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
echo app >context/app
SOURCE_DATE_EPOCH=1700000000 shale build -q -f - --platform linux/arm64 --build-arg VERSION=2 -t app context >/dev/null <<'END'
FROM scratch
ARG VERSION=1
ARG UNSET
ENV NAME="two words" V=$VERSION
LABEL org.example.b=b org.example.a="a $NAME"
COPY --chown=5:6 --chmod=0755 app /srv/bin/
USER 5:6
WORKDIR /srv
WORKDIR data
EXPOSE 8080 53/udp
VOLUME /srv/data /tmp
STOPSIGNAL SIGINT
SHELL ["/bin/sh", "-ec"]
HEALTHCHECK --interval=90s --timeout=2s --retries=3 CMD ["/srv/bin/app", "check"]
ENTRYPOINT ["/srv/bin/app"]
CMD serve "$NAME"
END

manifest=$(blob "$(inspect app "d['manifest']")")
blob "$(json "$manifest" "d['config']['digest']")" >config
cat >golden.json <<'END'
{
  "architecture": "arm64",
  "config": {
    "ArgsEscaped": true,
    "Cmd": ["/bin/sh", "-ec", "serve \"$NAME\""],
    "Entrypoint": ["/srv/bin/app"],
    "Env": [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "NAME=two words",
      "V=2"
    ],
    "ExposedPorts": {"53/udp": {}, "8080/tcp": {}},
    "Healthcheck": {"Interval": 90000000000, "Retries": 3, "Test": ["CMD", "/srv/bin/app", "check"], "Timeout": 2000000000},
    "Labels": {"org.example.a": "a two words", "org.example.b": "b"},
    "Shell": ["/bin/sh", "-ec"],
    "StopSignal": "SIGINT",
    "User": "5:6",
    "Volumes": {"/srv/data": {}, "/tmp": {}},
    "WorkingDir": "/srv/data"
  },
  "created": "2023-11-14T22:13:20Z",
  "history": [
    {"created_by": "ARG VERSION=2", "empty_layer": true},
    {"created_by": "ARG UNSET", "empty_layer": true},
    {"created_by": "ENV NAME=two words V=2", "empty_layer": true},
    {"created_by": "LABEL org.example.b=b org.example.a=a two words", "empty_layer": true},
    {"created_by": "COPY --chown=5:6 --chmod=0755 app /srv/bin/ # buildkit"},
    {"created_by": "USER 5:6", "empty_layer": true},
    {"created_by": "WORKDIR /srv", "empty_layer": true},
    {"created_by": "WORKDIR /srv/data"},
    {"created_by": "EXPOSE [53/udp 8080/tcp]", "empty_layer": true},
    {"created_by": "VOLUME [/srv/data /tmp]", "empty_layer": true},
    {"created_by": "STOPSIGNAL SIGINT", "empty_layer": true},
    {"created_by": "SHELL [/bin/sh -ec]", "empty_layer": true},
    {"created_by": "HEALTHCHECK {Test:[CMD /srv/bin/app check] Interval:1m30s Timeout:2s StartPeriod:0s StartInterval:0s Retries:3}",
     "empty_layer": true},
    {"created_by": "ENTRYPOINT [\"/srv/bin/app\"]", "empty_layer": true},
    {"created_by": "CMD [\"/bin/sh\" \"-ec\" \"serve \\\"$NAME\\\"\"]", "empty_layer": true}
  ],
  "os": "linux",
  "rootfs": {"type": "layers", "diff_ids": []}
}
END
for layer in $(layers app); do
  zstd -qdc "$(blob "$layer")" | sha256sum | sed 's/^/sha256:/;s/ .*//'
done >diff_ids
python3 - golden.json "$(cat config)" diff_ids <<'END'
import json, sys
golden = json.load(open(sys.argv[1]))
golden["rootfs"]["diff_ids"] = open(sys.argv[3]).read().split()
for entry in golden["history"]:
    entry.update(created=golden["created"], comment="buildkit.dockerfile.v0")
got = json.load(open(sys.argv[2]))
for name, value in (("golden", golden), ("got", got)):
    with open(name, "w") as f:
        json.dump(value, f, indent=1, sort_keys=True)
END
diff -u golden got >&2 || fail "config and golden config differ"

same "manifest" "$(json "$manifest" "(d['schemaVersion'], d['mediaType'], d['config']['mediaType'])")" \
  "(2, 'application/vnd.oci.image.manifest.v1+json', 'application/vnd.oci.image.config.v1+json')"
same "layers" "$(json "$manifest" "{layer['mediaType'] for layer in d['layers']}")" \
  "{'application/vnd.oci.image.layer.v1.tar+zstd'}"
