#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# runc runs what shale built: entrypoint, command, environment, user and working directory are the image's.
# NEEDS: root skopeo umoci runc busybox
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/etc
cp "$(command -v busybox)" context/busybox
printf 'app:x:100:101::/srv:/bin/sh\n' >context/etc/passwd
printf 'app:x:101:\n' >context/etc/group
build_text app context >/dev/null <<'END'
FROM scratch
COPY --chmod=755 busybox /bin/sh
COPY etc /etc/
ENV GREETING="hello there"
USER app
WORKDIR /srv/work
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo $GREETING; id -u; id -g; pwd; echo written >file && cat file"]
END
skopeo copy -q --dest-compress-format gzip "oci:$SHALE_STORE:localhost/app:latest" oci:gzip:x
umoci unpack --image gzip:x bundle >out 2>&1 || fail "umoci: $(cat out)"
# There is no terminal here.
python3 - <<'END'
import json
with open("bundle/config.json") as f:
    config = json.load(f)
config["process"]["terminal"] = False
with open("bundle/config.json", "w") as f:
    json.dump(config, f)
END
runc --root "$PWD/runc" run --bundle bundle "case-$$" >out 2>err || fail "runc: $(cat err)"
diff -u - out >&2 <<'END'
hello there
100
101
/srv/work
written
END
