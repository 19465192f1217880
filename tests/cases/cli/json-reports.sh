#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each --json report is one JSON document with the members that its manual page lists, and nothing else beside it.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

# The members are those of the page's section JSON: names in *bold* at the beginning of a line, before their indented
# text; and those in the text of a name that ends in "s" for its objects ("layers", "findings", "manifests").
cat >members.py <<'END'
import json, re, sys

page, file, want_without = sys.argv[1], sys.argv[2], set(sys.argv[3].split())
source = open(page, encoding="utf-8").read()
section = re.search(r"^# JSON\n(.*?)^# ", source, re.M | re.S).group(1)
if "An array of objects, in the order" in section:
    top, nested = re.findall(r"\*([a-z_.]+)\*", section), {}
else:
    top, nested = [], {}
    for line in section.splitlines():
        if line.startswith("*"):
            names = re.findall(r"\*([a-z_.]+)\*", line)
            top += names
        elif line.startswith("\t"):
            for name in names:
                nested[name] = nested.get(name, "") + line
documents = json.load(open(file, encoding="utf-8"))
documents = documents if isinstance(documents, list) else [documents]
problems = [] if documents and top else ["nothing to compare"]

def compare(what, got, want):
    if set(got) != set(want):
        problems.append(f"{what}: {sorted(got)} in the document, {sorted(want)} in the page")

for document in documents:
    compare(file, document, set(top) - want_without)
    for name, text in nested.items():
        of_page = re.findall(r"\*([a-zA-Z_]+)\*", text)
        for value in document.get(name, []) if isinstance(document.get(name), list) else []:
            if isinstance(value, dict):
                compare(f"{file}, {name}", value, of_page)
sys.exit("\n".join(problems) or 0)
END

# as_page COMMAND FILE [MEMBER]...: the document has the members of the command's page, but for MEMBERs that it says are
# not always there.
as_page() {
  page=$SHALE_SOURCE/docs/shale-$1.1.scd
  document=$2
  shift 2
  python3 members.py "$page" "$document" "$*" || fail "the report of $document is not what $page says"
}

echo secret >pass
small_image app >/dev/null
mkdir -p tree/sub
ln -s sub tree/link
shale keygen --passphrase-file pass team >/dev/null

shale import --json -t tree dir:tree >import.json
as_page import import.json
shale export --json app oci:exported >export.json
as_page export export.json
two_platforms both >/dev/null
shale images --json >images.json
as_page images images.json
make_session app work >/dev/null
make_session app broken >/dev/null
shale sessions --json >sessions.json
as_page sessions sessions.json error process use
use_session app used "mounted at /mnt"
shale sessions --json | python3 -c 'import json, sys; json.dump(json.load(sys.stdin)[1], sys.stdout)' >sessions.json
as_page sessions sessions.json error
end_session
rm "$(grep -l '"broken"' store/shale/sessions/*/session.json)"
shale sessions --json 2>err | python3 -c 'import json, sys; json.dump(json.load(sys.stdin)[-1], sys.stdout)' >sessions.json
as_page sessions sessions.json image manifest created process use
grep -q "warning: session [0-9a-f]*: it has no 'session.json'" err || fail "no warning"
shale session rm "$(json sessions.json "d['id']")" >/dev/null
shale inspect --json app >inspect.json
as_page inspect inspect.json manifests
shale inspect --json --platform linux/arm64 both >inspect.json
as_page inspect inspect.json
shale ls --json -R tree >ls.json
python3 -c 'import json; d = json.load(open("ls.json"))
json.dump([f for f in d if f["type"] == "l"], open("link.json", "w"))
json.dump([f for f in d if f["type"] != "l"], open("other.json", "w"))'
as_page ls link.json device user group
as_page ls other.json target device user group
if [ "$(id -u)" -eq 0 ]; then
  mkdir devices
  mknod devices/null c 1 3
  shale import -q -t devices dir:devices >/dev/null
  shale ls --json --names devices >device.json
  as_page ls device.json target
fi
mkdir -p tree2/dir
echo x >tree2/sub
ln -s dir tree2/link
shale import -q -t tree2 dir:tree2 >/dev/null
shale diff --json tree tree2 >diff.json
same "changes" "$(json diff.json "''.join(c['kind'] for c in d)")" ACC
as_page diff diff.json
same "no changes" "$(shale diff --json tree tree)" "[]"
shale size --json app >size.json
as_page size size.json
shale history --json app >history.json
as_page history history.json
shale sign --json --key team.key --passphrase-file pass app >sign.json
as_page sign sign.json
shale verify --json --key team.pub app >verify.json
as_page verify verify.json failed_step reason
status=0
shale verify --json --key team.pub tree >refused.json 2>/dev/null || status=$?
same "an image without a signature" "$status" 6
as_page verify refused.json manifest identity
same "verified" "$(json verify.json "d['verified']") $(json refused.json "d['verified']")" "True False"
shale gc --json >gc.json
as_page gc gc.json
printf 'FROM scratch\nCOPY hello /\n' | shale build -q -f - --metadata-file metadata.json -t meta small >/dev/null
as_page build metadata.json
printf 'FROM scratch\nCOPY hello /\n' | shale build -q -f - --metadata-file metadata.json small >/dev/null
as_page build metadata.json image.name
printf 'FROM scratch\nCOPY hello /\n' |
  shale build --json -f - --metadata-file metadata.json --platform linux/amd64,linux/arm64 -t meta small 2>/dev/null >both.json
as_page build both.json containerimage.config.digest
cmp metadata.json both.json || fail "--json is not what --metadata-file has"
printf 'FROM scratch\nCOPY hello /\n' | shale build -q -f - --metadata-file metadata.json small >/dev/null
same "members of a descriptor" "$(json metadata.json "' '.join(sorted(d['containerimage.descriptor']))")" \
  "digest mediaType size"

shale fsck --json --read-data >fsck.json
as_page fsck fsck.json
same "findings of a whole store" "$(json fsck.json "d['findings'], d['errors']")" "([], 0)"
# A flipped byte, a blob of nobody, and a catalog that has to be made again.
flip "$(blob "$(layers app)")" 60
echo nobody >nobody
cp nobody "store/blobs/sha256/$(sha256sum nobody | cut -d ' ' -f 1)"
shale ls both >/dev/null 2>&1 || true
for catalog in store/shale/catalogs/*; do
  : >"$catalog"
done
status=0
shale fsck --json --read-data >fsck.json 2>/dev/null || status=$?
same "fsck of a damaged store" "$status" 5
as_page fsck fsck.json
json fsck.json "'\n'.join('%s|%s|%s' % (f['severity'], f['subject'].split()[0], f['text'].split(' (used')[0])
  for f in d['findings'])" | LC_ALL=C sort -u >findings
diff -u - findings >&2 <<END || fail "the findings differ"
derived|catalog|the catalog is damaged: it has no header
error|blob|the content has another digest
error|layer|frame 0 has another digest
note|blob|nothing uses it: gc removes it
END
same "errors" "$(json fsck.json "d['errors']")" 2
for subject in "blob $(layers app)" "layer $(layers app)" "blob sha256:$(sha256sum nobody | cut -d ' ' -f 1)"; do
  same "findings of $subject" "$(json fsck.json "sum(f['subject'] == '$subject' for f in d['findings'])")" 1
done
