#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --label goes over the manifest's and the base's labels, as buildah has it; --annotation goes to the OCI manifest; skopeo
# reads both.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir context
printf 'FROM scratch\nLABEL base=base both=base\n' |
  shale build -q -f - --platform linux/arm64 -t base context >/dev/null
cat >context/Shalefile <<'END'
FROM base
LABEL file=file both=file last=file
END
shale build -q -t app --label last=option --label new=a=b --label empty --label bare= \
  --annotation org.example.a=1 --annotation manifest:org.example.b='two words' \
  --annotation "manifest[linux/arm64]:org.example.c=3" --annotation org.example:port=80 --platform linux/arm64 context >/dev/null
skopeo inspect --raw oci:"$SHALE_STORE":localhost/app:latest >raw
same "annotations" "$(json raw "sorted(d['annotations'].items())")" \
  "[('org.example.a', '1'), ('org.example.b', 'two words'), ('org.example.c', '3'), ('org.example:port', '80')]"
skopeo inspect --config --override-arch arm64 oci:"$SHALE_STORE":localhost/app:latest >config
same "labels" "$(json config "sorted(d['config']['Labels'].items())")" \
  "[('bare', ''), ('base', 'base'), ('both', 'file'), ('empty', ''), ('file', 'file'), ('last', 'option'), ('new', 'a=b')]"
# An option is no instruction.
same "history" "$(json config "len(d['history'])")" 2

# Of several platforms, docker's kinds say which document: manifests, the index, or what the index says of manifests.
printf 'FROM scratch\n' | shale build -q -f - -t several --platform linux/amd64,linux/arm64 --annotation all=1 \
  --annotation 'manifest[linux/arm64/v8]:arm=2' --annotation index,manifest-descriptor:both=3 \
  --annotation 'manifest-descriptor[linux/amd64],manifest[linux/amd64]:amd=4' context >/dev/null
skopeo inspect --raw oci:"$SHALE_STORE":localhost/several:latest >index
same "of the index" "$(json index "d['annotations']")" "{'both': '3'}"
same "of its entries" "$(json index "[m['annotations'] for m in d['manifests']]")" "[{'amd': '4', 'both': '3'}, {'both': '3'}]"
for at in 0 1; do
  json "$(blob "$(json index "d['manifests'][$at]['digest']")")" "d['annotations']"
done >manifests
same "of the manifests" "$(paste -sd' ' manifests)" "{'all': '1', 'amd': '4'} {'all': '1', 'arm': '2'}"

before=$(shale images)
while IFS='|' read -r status option wrong word; do
  expect "$status" "shale: option '--$option': *$word*" shale build -q -t other "--$option" "$wrong" context
done <<END
2|label||is not KEY=VALUE
2|label|=x|is not KEY=VALUE
2|label|a=$(printf '\377')|is not UTF-8
2|annotation||is not KEY=VALUE
2|annotation|=x|is not KEY=VALUE
2|annotation|a|is not KEY=VALUE
2|annotation|manifest:a|is not KEY=VALUE
2|annotation|manifest:=a|is not KEY=VALUE
2|annotation|a=$(printf '\377')|is not UTF-8
2|annotation|io.shale.layer-index.digest=x|keys of 'io.shale.\**' are reserved
2|annotation|manifest:io.shale.x=x|are reserved
2|annotation|manifest[linux/s390x]:a=b|'linux/s390x' is not the platform that is built
2|annotation|manifest[linux]:a=b|platform 'linux' is not OS/ARCHITECTURE
2|annotation|manifest[linux/arm64=x|'manifest*linux/arm64' is not manifest*PLATFORM*:KEY=VALUE
2|annotation|manifest[linux/arm64:a=b|is not manifest*PLATFORM*:KEY=VALUE
2|annotation|manifest[linux/arm64]a=b|is not manifest*PLATFORM*:KEY=VALUE
2|annotation|index,manifest-descriptor[=b|is not manifest-descriptor*PLATFORM*:KEY=VALUE
3|annotation|index:a=b|'index' are not supported
3|annotation|manifest,index:a=b|'index' are not supported
3|annotation|index-descriptor:a=b|'index-descriptor' are not supported: no document of the image holds that descriptor
3|annotation|manifest-descriptor:a=b|'manifest-descriptor' are not supported
3|annotation|mainfest:a=b|'mainfest' are not supported
4|annotation|a=$(printf %70000s '' | tr ' ' x)|more than 65536 bytes
3|annotation|index-descriptor,index:a=b|'index-descriptor' are not supported: no document
END
while IFS='|' read -r status wrong word; do
  expect "$status" "shale: option '--annotation': *$word*" \
    shale build -q -t other --platform linux/amd64,linux/arm64 --annotation "$wrong" context
done <<'END'
2|index:a|is not KEY=VALUE
2|index:io.shale.x=x|are reserved
2|index[linux/amd64]:a=b|an index is for all platforms
2|manifest[linux/s390x]:a=b|'linux/s390x' is none of the platforms that are built, linux/amd64, linux/arm64
2|manifest-descriptor[linux/s390x]:a=b|'linux/s390x' is none of
2|manifest-descriptor[linux]:a=b|platform 'linux'
3|index-descriptor:a=b|'index-descriptor' are not supported: no document of the image holds that descriptor
3|indexes:a=b|'indexes' are not supported
END

# Each is short enough, but no document may be so long: nothing would read the image again, and gc would stop at it.
long=$(printf %65536s '' | tr ' ' x)
list=$(seq -f linux/arch%g -s, 64)
printf 'FROM scratch\n' >context/Shalefile
expect 4 "shale: *image index: JSON of 42[0-9]* bytes, more than 4194304 bytes" \
  shale build -q -t other --platform "$list" --annotation "manifest-descriptor:a=$long" context
same "images" "$(shale images)" "$before"
shale gc -q
shale fsck -q >/dev/null
