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
expect 8 "*no image 'localhost/ap:latest'*localhost/app:latest*" shale inspect ap
expect 3 '*' shale inspect 'NOT A NAME'
