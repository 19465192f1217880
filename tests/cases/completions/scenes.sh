# SPDX-License-Identifier: Apache-2.0
# Command lines and what is to be offered at their end, in every shell.
# shellcheck shell=sh

# options_of COMMAND: those that its --help shows, short and long.
options_of() {
  shale "$1" --help | sed -n 's/^  \(-.\), \(--[a-z-]*\).*/\1\n\2/p; s/^      \(--[a-z-]*\).*/\1/p'
}

# make_scenes: the file `scenes` of lines "COMMAND LINE|OFFER OFFER...", and what they are about in the working
# directory.
make_scenes() {
  small_image app:1 >/dev/null
  shale tag app:1 app:stable
  shale tag app:1 registry.example:5000/team/web:3
  # What is no name at all, as another tool may have put it there.
  python3 - "$SHALE_STORE/index.json" <<'END'
import copy, json, sys
with open(sys.argv[1]) as f:
    index = json.load(f)
for name in ("app$(touch$IFS.pwned)", "app:`touch\tpwned`", "app:two\nlines", "app;touch pwned"):
    entry = copy.deepcopy(index["manifests"][0])
    entry["annotations"]["org.opencontainers.image.ref.name"] = name
    index["manifests"].append(entry)
with open(sys.argv[1], "w") as f:
    json.dump(index, f)
END
  printf 'FROM scratch\n' | shale build -q -f - --store other -t else:1 small >/dev/null
  mkdir work
  cd work || exit
  mv ../other .
  mkdir contexts
  touch image.tar team.key contexts/inner
  make_session app:1 app-1 >/dev/null
  make_session app:1 work >/dev/null
  mkdir "../mnt one"
  shale mount app:1 "../mnt one"

  names=$(shale --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
  {
    printf 'shale |%s\n' "$(printf '%s\n' "$names" help | LC_ALL=C sort | paste -s -d ' ')"
    for name in $names; do
      printf 'shale %s -|%s\n' "$name" "$(options_of "$name" | LC_ALL=C sort | paste -s -d ' ')"
    done
    cat <<'END'
shale -|--help --version -h
shale mo|mount
shale nonsense |
shale help um|umount
shale help umount |
shale ls ap|app:1 app:stable
shale ls app:s|app:stable
shale ls localhost/app:|localhost/app:1 localhost/app:stable
shale ls registry|registry.example:5000/team/web:3
shale ls registry.example:5000/team/|registry.example:5000/team/web:3
shale ls --store other |else:1
shale ls --store=other e|else:1
shale ls --store nowhere |
shale ls --store ot|other
shale ls app:1 |
shale ls -l app:1 /et|
shale ls -- ap|app:1 app:stable
shale ls -- -|
shale rm app:1 app:s|app:stable
shale tag app:1 ap|app:1 app:stable
shale session |export rm
shale session export |app-1 work
shale session rm |app-1 work
shale session rm wo|work
shale session rm work ap|app-1
shale session rm --store other |
shale diff ap|app:1 app:stable
shale diff app:1 ap|app:1 app:stable
shale diff app:1 app:stable |
shale images --filter |before dangling=false dangling=true label reference since
shale images --filter la|label
shale images --filter dangling=t|dangling=true
shale images --filter=dangling=t|dangling=true
shale images --filter label=x|
shale cp ap|app:1 app:stable
shale cp te|team.key
shale cp app:1:/etc te|team.key
shale cp team.key wo|work
shale cp team.key ap|app-1
shale mount app:1 con|contexts
shale mount app:1 te|
shale mount --cache 16M ap|app:1 app:stable
shale mount --cache 16M app:1 con|contexts
shale mount -f app:1 con|contexts
shale mount --cache=16M app:1 con|contexts
shale mount -o |allow_other dev noexec nonempty suid writeback
shale mount -o allow_other,no|noexec nonempty
shale mount --identity ap|app:1 app:stable
shale build con|contexts
shale build te|
shale build -f te|team.key
shale build --platform linux/arm|linux/arm/v5 linux/arm/v7 linux/arm64
shale build --platform=linux/amd|linux/amd64
shale build --platform linux/amd64,linux/s|linux/s390x
shale build --compression z|zstd
shale export --compression g|gzip
shale build --workers |
shale build --tag=ap|app:1 app:stable
shale keygen --type |ed25519 p256
shale keygen te|team.key
shale import |dir docker-archive oci oci-archive rootfs
shale import oci|oci oci-archive
shale import oci-archive:im|image.tar
shale sign --key te|team.key
shale edit ap|app:1 app:stable
shale edit -t ap|app:1 app:stable
shale edit app:1 -t ap|app:1 app:stable
shale edit app:1 setpri|setpriv
shale edit app:1 --store ot|other
shale edit app:1 setpriv te|team.key
shale edit app:1 setpriv -|
shale edit app:1 setpriv --store te|team.key
shale unshare setpri|setpriv
shale unshare --store ot|other
shale unshare -- setpri|setpriv
shale unshare setpriv te|team.key
shale unshare setpriv -|
shale unshare setpriv --store te|team.key
shale verify --key team.key ap|app:1 app:stable
END
    printf 'shale umount %s|%s\n' "${PWD%/*}/m" "${PWD%/*}/mnt one"
  } >../scenes
  sed 's/|.*//' ../scenes >../lines
}

# check_offers FILE: the offers in it, one a line behind "> LINE", are those of the scenes.  Of a list, a prefixed file and
# an --option=VALUE, shells show the whole or the last part; some show what comes behind a word.
check_offers() {
  python3 - "$1" >got <<'END'
import re, sys
line = None
for text in open(sys.argv[1], encoding="utf-8").read().splitlines() + ["> "]:
    if text.startswith("> "):
        if line is not None:
            print(f"{line}|{' '.join(sorted(words))}")
        line, words = text[2:], set()
    elif text:
        text = re.sub(r"^--[a-z]+=(?=.)|^oci-archive:(?=.)|^.*,", "", text.replace("\\", ""))
        words.add(re.sub(r"(?<=.)[:/=]+$", "", text))
END
  shale umount "../mnt one"
  diff -u ../scenes got >&2 || fail "the offers differ"
  same "what the name of an image ran" "$(find .. -name '*pwned*')" ""
}
