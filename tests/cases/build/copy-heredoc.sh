#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Heredocs of COPY are files, whose content is what the shell makes of the same lines.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context want want/etc
echo x >context/x
cat >context/Shalefile <<'END'
FROM scratch
ARG NAME=world
COPY <<EOF /plain
hello $NAME, ${NAME}s and ${none-nobody}
  it's "quoted", \$NAME
EOF
COPY <<"EOF" /quoted
hello $NAME \$NAME ${
EOF
COPY --chmod=0755 --chown=5:6 <<-'EOF' /run
	#!/bin/sh
		echo "$1"
	EOF
COPY x <<one.txt <<-two.txt /etc/
FROM $NAME
one.txt
	# 2
	two.txt
COPY <<EOF /empty
EOF
WORKDIR /srv
COPY <<EOF conf
relative
EOF
END
shale build -q -t app context >/dev/null

NAME=world
cat >want/plain <<EOF
hello $NAME, ${NAME}s and ${none-nobody}
  it's "quoted", \$NAME
EOF
cat >want/quoted <<"EOF"
hello $NAME \$NAME ${
EOF
cat >want/run <<-'EOF'
	#!/bin/sh
		echo "$1"
	EOF
echo "FROM world" >want/etc/one.txt
echo "# 2" >want/etc/two.txt
: >want/empty
mkdir want/srv
echo relative >want/srv/conf
(cd want && find . -type f | sed 's/^\.//' | LC_ALL=C sort) >names
same "names" "$(files app | grep -v ' d0755' | sed 's/ .*//' | grep -vx /etc/x)" "$(cat names)"
while read -r name; do
  shale cat app "$name" | cmp - "want$name" || fail "$name is not what the shell makes"
done <names
same "mode and owner" "$(files app | grep -e '^/run' -e '^/plain')" "/plain -0644 0:0 $(wc -c <want/plain)
/run -0755 5:6 $(wc -c <want/run)"
# Times are the epoch's, as everywhere in an image that is built.
shale ls --json app /plain >plain.json
same "time" "$(json plain.json "d[0]['mtime']")" 315532800

blob "$(json "$(blob "$(inspect app "d['manifest']")")" "d['config']['digest']")" >config
same "history" "$(json "$(cat config)" "'\n'.join(h['created_by'] for h in d['history'])")" "ARG NAME=world
COPY <<EOF /plain # buildkit
COPY <<EOF /quoted # buildkit
COPY --chown=5:6 --chmod=0755 <<EOF /run # buildkit
COPY x <<one.txt <<two.txt /etc/ # buildkit
COPY <<EOF /empty # buildkit
WORKDIR /srv
COPY <<EOF conf # buildkit"

# The content counts, not where it stands: a heredoc and a file of the context make the same layer.
printf 'FROM scratch\nCOPY <<EOF /x\nx\nEOF\n' | build_text heredoc context >/dev/null
printf 'FROM scratch\nCOPY x /x\n' | build_text file context >/dev/null
same "layers" "$(layers heredoc)" "$(layers file)"

# refuse GLOB: the manifest on standard input is refused, as malformed.
refuse() {
  expect 3 "$1" shale build -q -f - -t bad context
}
printf 'FROM scratch\nCOPY <<EOF /x\nno end\n' | refuse "*<stdin>:2:6: heredoc 'EOF' without an end*"
# shellcheck disable=SC2016 # for shale
printf 'FROM scratch\nCOPY <<EOF /x\ntext\n  ${bad\nEOF\nCOPY <<../x /d/\n../x\n' |
  refuse "*<stdin>:4:3: bad substitution*
  \${bad
  ^
<stdin>:6:6: the heredoc <<../x makes a file*"
printf 'FROM scratch\nCOPY x <<EOF\nEOF\n' | refuse "*<stdin>:2:8: the destination cannot be a heredoc*"
printf 'FROM scratch\nCOPY <<.wh.x /etc/\n.wh.x\n' | refuse "*<stdin>:2:6: '/etc/.wh.x': no image can hold*"
