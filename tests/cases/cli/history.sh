#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# history tells the steps of an image, the newest first, with the layers that they made; whatever a config says.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
seq 1000 >context/file
digest=$(
  build_text app context <<'END'
FROM scratch
COPY file /file
ENV A=1
COPY file /a/rather/long/path/for/a/file/that/nobody/reads
LABEL x=y
END
)
shale history app >out
same "heads" "$(head -n 1 out | tr -s ' ')" "CREATED CREATED BY SIZE COMMENT"
same "times and sizes" "$(sed 1d out | tr -s ' ' | sed 's/ .* \([0-9.]* [KiB]*\)\( [^ ]*\)*$/ \1/')" "1980-01-01T00:00:00Z 0 B
1980-01-01T00:00:00Z 3.8 KiB
1980-01-01T00:00:00Z 0 B
1980-01-01T00:00:00Z 3.8 KiB"
same "steps" "$(sed 1d out | sed 's/^[^ ]*  \([A-Z]*\).*/\1/' | paste -sd ' ')" "LABEL COPY ENV COPY"
same "a cut step" "$(sed -n '3s/^[^ ]*  //; 3s/\.\.\. .*/.../p' out)" "COPY file /a/rather/long/path/for/a/file/t..."
shale history --no-trunc app | grep -q 'COPY file /a/rather/long/path/for/a/file/that/nobody/reads ' || fail "--no-trunc cuts"
same "-q" "$(shale history -q app)" "$(layers app | tac)"
shale history --json app >history.json
config=$(json "$(blob "$digest")" "d['config']['digest']")
same "as the config has it" "$(json history.json "[(h['created'], h['created_by']) for h in d]")" \
  "$(json "$(blob "$config")" "[(h['created'], h['created_by']) for h in d['history']][::-1]")"
same "layers" "$(json history.json "[h['layer'] and h['layer'][:7] for h in d]")" "[None, 'sha256:', None, 'sha256:']"
same "sizes" "$(json history.json "[h['size'] for h in d]")" "[0, 3893, 0, 3893]"
expect 2 "*'--quiet' and '--json'*" shale history -q --json app
expect 8 "*no image*" shale history nope

# with_history NAME EXPRESSION: the same image with another history, imported.
with_history() {
  rm -rf layout
  mkdir layout
  cp -r "$SHALE_STORE/blobs" "$SHALE_STORE/oci-layout" layout
  python3 - "$digest" "$2" <<'END'
import hashlib, json, sys
digest, expression = sys.argv[1:]
def path(d):
    return "layout/blobs/" + d.replace(":", "/")
def put(document):
    data = json.dumps(document).encode()
    d = "sha256:" + hashlib.sha256(data).hexdigest()
    open(path(d), "wb").write(data)
    return {"digest": d, "size": len(data)}
manifest = json.load(open(path(digest)))
config = json.load(open(path(manifest["config"]["digest"])))
config["history"] = eval(expression)
manifest["config"].update(put(config))
top = {"mediaType": "application/vnd.oci.image.manifest.v1+json", **put(manifest),
       "annotations": {"org.opencontainers.image.ref.name": "x"}}
json.dump({"schemaVersion": 2, "manifests": [top]}, open("layout/index.json", "w"))
END
  shale import -q -t "$1" oci:layout:x >/dev/null
}

with_history none '[]'
same "layers without a history" "$(shale history none | tr -s ' ')" "CREATED CREATED BY SIZE COMMENT
- - 3.8 KiB
- - 3.8 KiB"
with_history few "[{'created_by': 'base', 'comment': 'a word'}]"
same "a layer that the history does not know" "$(shale history few | sed 1d | tr -s ' ')" "- - 3.8 KiB
- base 3.8 KiB a word"
with_history many "[{'created_by': str(i)} for i in range(3)]"
same "a step too many" "$(shale history many | sed 1d | tr -s ' ')" "- 2 -
- 1 3.8 KiB
- 0 3.8 KiB"
same "its layers" "$(shale history -q many)" "$(layers app | tac)"
with_history evil "[{'created_by': 'RUN \x1b[31m\nmake\u202e \t' + 'x' * 1000, 'created': '\x1b]0;t\x07', \
  'author': '\x9b', 'comment': '\xe9' * 10}, {'created_by': '\xe9' * 100, 'created': '2024-01-02T03:04:05.123456789+01:00'}]"
shale history evil >out
same "lines" "$(wc -l <out)" 3
if LC_ALL=C grep -n "$(printf '[\001-\011\013-\037\177]')" out >&2; then
  fail "a control character got through"
fi
sed -n 2p out | grep -q "^2024-01-02T03:04:05+01:00  $(printf '%42s' '' | sed 's/ /é/g')\.\.\.  3.8 KiB$" || fail "cut: $(cat out)"
shale history --json evil >evil.json
same "in JSON" "$(json evil.json "d[1]['created_by'][:12]")" 'RUN \x1b[31m'

# On a terminal the line is as wide as that.
# shellcheck source=/dev/null
. "$SHALE_SOURCE/tests/support/terminal.sh"
for columns in 80 120; do
  on_terminal "$columns" shale history evil || fail "history on a terminal"
  same "width on $columns columns" \
    "$(python3 -c 'print(max(len(line.rstrip()) for line in open("left", encoding="utf-8")))')" "$((columns - 2))"
done
