#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --chown takes numbers, and names from the image's passwd and group; a name alone has the primary group, a number alone the
# group of that number.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/dir
echo x >context/dir/x
printf 'root:x:0:0::/:\n# a comment\nbroken\napp:x:1234:5678::/:\nweb:x:33:34::/:\n' >context/passwd
printf 'root:x:0:\nstaff:x:50:app\n' >context/group
cat >base <<'END'
FROM scratch
COPY passwd group /etc/
END
shale build -q -f base -t base context >/dev/null
build_text app context >/dev/null <<'END'
FROM base
ARG who=web
COPY --chown=7:8 dir /numbers
COPY --chown=9 dir/x /one-number
COPY --chown=app dir/x /user
COPY --chown=app:staff dir/x /both
COPY --chown=1:staff dir/x /mixed
COPY --chown=4294967294 dir/x /largest
COPY --chown=$who dir/x /variable
USER app
COPY dir/x /as-user
WORKDIR /home/app
END
same "files" "$(files app | grep -v ' /etc\|^/etc')" "/as-user -0644 0:0 2
/both -0644 1234:50 2
/home d0755 1234:5678
/home/app d0755 1234:5678
/largest -0644 4294967294:4294967294 2
/mixed -0644 1:50 2
/numbers d0755 7:8
/numbers/x -0644 7:8 2
/one-number -0644 9:9 2
/user -0644 1234:5678 2
/variable -0644 33:34 2"
# refuse STATUS OWNER GLOB: the owner is refused.
refuse() {
  printf 'FROM base\nCOPY --chown=%s dir/x /y\n' "$2" | expect "$1" "*<stdin>:2*$3*" shale build -f - context
}
refuse 8 nobody "no user 'nobody' in /etc/passwd of the image"
refuse 8 app:none "no group 'none' in /etc/group of the image"
refuse 8 broken "no user 'broken'"
refuse 8 4294967295 "4294967295"
refuse 3 :5 "user or user:group"
refuse 3 a:b:c "user or user:group"
