#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All that is wrong with a manifest is told at once, by line: text, values, base, sources and owners; nothing is built.
# shellcheck source=/dev/null
. "$SHALE_CASES/lib.sh"

mkdir -p context/src context/etc
echo x >context/app.conf
echo y >context/src/main.c
printf 'root:x:0:0::/:\nwww-data:x:33:33::/:\n' >context/etc/passwd

# refused STATUS PLACES: as the errors of the context's manifest, each with a caret, and no image.
refused() {
  expect "$1" '*' shale build -t app context
  same "places" "$(grep -o '^\(shale: \)\{0,1\}Shalefile:[0-9]*:[0-9]*: [^w]' expect.out |
    sed 's/^shale: Shalefile:/:/;s/^Shalefile//;s/: .$//' | paste -sd' ')" "$2"
  same "carets" "$(grep -c '^\.* *^$' expect.out)" "$(printf %s "$2" | wc -w)"
  same "images" "$(shale images | wc -l)" 1
}

cat >context/Shalefile <<'END'
FROM scratch
ENV novalue
COPY onlyone
USER
LABEL a=b
WORKDIR
END
refused 3 ":2:5 :3:1 :4:1 :6:1"

cat >context/Shalefile <<'END'
FROM scratch
EXPOSE 99999
STOPSIGNAL SIGNONE
HEALTHCHECK --interval=1 CMD x
COPY --chmod=9 a b
END
refused 3 ":2:8 :3:12 :4:24 :5:14"

# Of every kind.
cat >context/Shalefile <<'END'
FROM scratch
COPY aap.conf \
     scr/main.c ../src/mian.c nothing /x/
COPY --chown=nobody app.conf /y
USER app
WORKDIR /w
WORKDIR v
COPI a b
EXPOSE 99999
COPY --chwon=1 gone /z
STOPSIGNAL SIGTREM
END
refused 3 ":2:6 :3:6 :3:17 :3:31 :4:14 :5:6 :8:1 :9:8 :10:6 :11:12"
for word in "'aap.conf' in the context (did you mean 'app.conf'?)" "(did you mean 'src/main.c'?)" "no 'nothing' in the context" \
  "no user 'nobody' in /etc/passwd of the image" "no user 'app'" "bad port '99999'" "unknown signal 'SIGTREM'"; do
  grep -qF "$word" expect.out || fail "nothing of: $word"
done
sed -i '/^COPI/d;/^EXPOSE/d;/chwon/d;/^STOP/d' context/Shalefile
refused 8 ":2:6 :3:6 :3:17 :3:31 :4:14 :5:6"

# The base is one finding among others; what its variables say is not judged.
sed -i 's/scratch/none/' context/Shalefile
# shellcheck disable=SC2016 # for shale
printf 'EXPOSE $PORT 99999\nEXPOSE 99999\n' >>context/Shalefile
refused 3 ":1:6 :2:6 :3:6 :3:17 :3:31 :9:8"

# Nor what follows from a variable that has an error.
cat >context/Shalefile <<'END'
FROM scratch
ENV PORT=80 FILE=${
EXPOSE $PORT
COPY $FILE /x
EXPOSE x
END
refused 3 ":2:18 :5:8"
cat >context/Shalefile <<'END'
FROM scratch
EVN PORT=80
EXPOSE ${PORT?}
EXPOSE ${
EXPOSE x
END
refused 3 ":2:1 :5:8"

# Accounts that a COPY brings: what comes before it is checked before anything is made, the rest when they are there.
cat >context/Shalefile <<'END'
FROM scratch
COPY --chown=early app.conf /a
COPY etc /etc
COPY --chown=www-date app.conf /b
USER late
WORKDIR /w
COPY --chown=www-data:wheel app.conf /c
END
refused 8 ":2:14"
sed -i 's/early/1/' context/Shalefile
refused 8 ":4:14 :5:6 :7:14"
grep -qF "no user 'www-date' in /etc/passwd of the image (did you mean 'www-data'?)" expect.out || fail "no suggestion"
sed -i 's/date/data/;s/late/33/;s/:wheel/:44/' context/Shalefile
shale build -q -t app context >/dev/null
same "owners" "$(files app /a /b /w /c | cut -d' ' -f1,3 | paste -sd' ')" "/a 1:1 /b 33:33 /c 33:44"
shale rm app >/dev/null

# A link that an earlier COPY brought may lead to the accounts, too: it is no error before that is known.
mkdir context/links
ln -s ../etc context/links/way
cat >context/Shalefile <<'END'
FROM scratch
COPY links /links
COPY etc /links/way
COPY --chown=www-data app.conf /b
COPY etc/passwd /other/passwd
COPY --chown=www-data app.conf /d
END
shale build -q -t app context >/dev/null
same "owners" "$(files app /b /d | cut -d' ' -f1,3 | paste -sd' ')" "/b 33:33 /d 33:33"
shale rm app >/dev/null

# What is hidden is no suggestion.
printf 'app.conf\n' >context/.dockerignore
printf 'FROM scratch\nCOPY aap.conf app.conf /x/\n' >context/Shalefile
refused 8 ":2:6 :2:15"
! grep -q 'did you mean' expect.out || fail "a hidden name was suggested"
