#!/usr/bin/env bash
# Makes what the container image holds, in a new folder.
#
#   root.sh FOLDER            builds the program
#   root.sh FOLDER PROGRAM    takes one that is there: static, for Linux
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${1:?usage: root.sh FOLDER [PROGRAM]}

mkdir -p "$root"/{etc/ssl/certs,usr/bin,tmp,var/cache/tallystick}
if [ $# -ge 2 ]; then
	install -m 755 "$2" "$root/usr/bin/tally"
else
	"$here/../../tools/build-release.sh" "$(cd "$root" && pwd)/usr/bin/tally"
fi
# Whatever user the container runs as may write there, unless the root is read-only.
chmod 1777 "$root/tmp" "$root/var/cache/tallystick"
printf 'root:x:0:0::/:/sbin/nologin\ntally:x:65532:65532::/:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\ntally:x:65532:\n' >"$root/etc/group"
# Authorities, for a database or a collector of traces with a certificate that one of them signed.
authorities=/etc/ssl/certs/ca-certificates.crt
[ ! -e "$authorities" ] || install -m 644 "$authorities" "$root$authorities"
