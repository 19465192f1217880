#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# FROM an index takes the image of each platform; what it lacks, what fails for one platform, and a FROM that makes another
# platform than its entry says, publish nothing and name the platform.
# shellcheck disable=SC2016 # variables of the manifest
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

two_platforms both >/dev/null
mkdir context
echo x >context/x
printf 'FROM both\nCOPY x /\n' >context/Shalefile
list=linux/amd64,linux/arm64
digest=$(shale build -q --platform $list -t app context)
for arch in amd64 arm64; do
  same "files of $arch" "$(shale cat --platform "linux/$arch" app /arch /x | paste -sd' ')" "$arch x"
done
# A base of shale's own making does as well.
printf 'FROM app\nCOPY x /y\n' | shale build -q -f - --platform $list -t next context >/dev/null
same "the next" "$(shale cat --platform linux/arm64 next /arch /y | paste -sd' ')" "arm64 x"

before=$(shale images --json)
# refused STATUS GLOB MANIFEST OPTION...
refused() {
  printf "%b" "$3" >manifest
  refused_status=$1
  refused_glob=$2
  shift 3
  expect "$refused_status" "$refused_glob" shale build -q -f manifest -t app -t new "$@" context
  same "images" "$(shale images --json)" "$before"
}
refused 8 "shale: manifest:1:6: for linux/s390x: *has nothing for the platform 'linux/s390x', only: linux/amd64, linux/arm64
FROM both
     ^
manifest:1:6: for linux/riscv64: *only: linux/amd64, linux/arm64*" \
  'FROM both\n' --platform $list,linux/s390x,linux/riscv64
# What is wrong for one alone, and what is wrong for all: said once.
echo x >context/x-amd64
refused 8 "shale: manifest:3:6: for linux/arm64: no 'x-arm64' in the context*" \
  'FROM both\nARG TARGETARCH\nCOPY x-$TARGETARCH /\n' --platform $list
refused 8 "shale: manifest:2:6: no 'none' in the context
COPY none /
     ^" 'FROM both\nCOPY none /\n' --platform $list
refused 3 "shale: manifest:2:1: unknown instruction*" 'FROM both\nCOPI x /\n' --platform $list

# A base of one platform is one.
printf 'FROM scratch\nCOPY x /\n' | shale build -q -f - --platform linux/amd64 -t single context >/dev/null
before=$(shale images --json)
refused 8 "shale: manifest:1:6: for linux/arm64: *has nothing for the platform 'linux/arm64', only: linux/amd64*" \
  'FROM single\n' --platform $list

printf 'nobody:x:65534:65534::/:/bin/false\n' >context/passwd-amd64
printf 'root:x:0:0::/:/bin/false\n' >context/passwd-arm64
# What only the work itself shows, when the image of the other platform is whole already.
mkdir -p context/tree-amd64/d context/tree-arm64
echo x >context/tree-amd64/d/x
echo x >context/tree-arm64/d
printf 'FROM scratch\nARG TARGETARCH\nCOPY tree-$TARGETARCH /\n' |
  shale build -q -f - --platform $list -t trees context >/dev/null
before=$(shale images --json)
refused 9 "shale: for linux/arm64: manifest:3:1: '/d'*" 'FROM trees\nCOPY x /\nWORKDIR /d\n' --platform $list
refused 8 "shale: for linux/arm64: manifest:*no user 'nobody'*" \
  'FROM scratch\nARG TARGETARCH\nCOPY tree-$TARGETARCH /\nCOPY passwd-$TARGETARCH /etc/passwd\nUSER nobody\nWORKDIR /w\n' \
  --platform $list

# FROM --platform: what follows the target is fine, and what makes another platform than the entry would say is not.
printf 'FROM --platform=$TARGETPLATFORM both\nCOPY x /\n' >context/Shalefile
same "the same image" "$(shale build -q --platform $list context)" "$digest"
for base in both scratch; do
  refused 3 "shale: manifest:1:29: for linux/arm64: the image would be one for linux/amd64*" \
    "FROM --platform=linux/amd64 $base\n" --platform $list
done

while IFS='|' read -r status value word; do
  expect "$status" "shale: option '--platform': *$word*" shale build -q -t new "--platform=$value" context
done <<END
2||platform '' is not OS/ARCHITECTURE
2|linux/amd64,|platform '' is not OS/ARCHITECTURE
2|linux/amd64,,linux/arm64|platform '' is not OS/ARCHITECTURE
2|linux/amd64, linux/arm64|platform ' linux/arm64' is not
2|linux|platform 'linux' is not
4|$(seq -s , -f 'linux/a%g' 65)|more than 64 platforms
END
same "images" "$(shale images --json)" "$before"

# A base that asks for more makes an entry that says so, and no second one for that platform.
printf 'FROM scratch\n' | shale build -q -f - --platform linux/amd64/v3 -t demanding context >/dev/null
printf 'FROM demanding\n' >context/Shalefile
before=$(shale images)
expect 3 "*Shalefile:1:6: for linux/amd64: the base makes the image one for linux/amd64/v3, which is built as well*" \
  shale build -q -t twice --platform linux/amd64,linux/amd64/v3 context
same "images" "$(shale images)" "$before"
digest=$(shale build -q --platform linux/amd64,linux/amd64/v4 context)
same "variants" "$(json "$(blob "$digest")" "[m['platform']['variant'] for m in d['manifests']]")" "['v3', 'v4']"
