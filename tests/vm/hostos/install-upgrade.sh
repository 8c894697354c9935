#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The HostOS's installer in this test: the image is a tar with the new version file in it. It notes
# each run, and takes as long as /var/lib/test/hold exists, for two minutes at most. Like a real one it
# opens the disk for writing (and writes nothing), and mounts where nobody else sees it.
set -eu
echo "begin $(sha256sum "$1" | cut -d ' ' -f 1)" >>/var/lib/test/installer.log
sync
dd if=/dev/null of=/dev/vda conv=notrunc status=none
unshare --mount mount -t tmpfs none /mnt
i=0
while [ -e /var/lib/test/hold ] && [ "$i" -lt 600 ]; do
    sleep 0.2
    i=$((i + 1))
done
tar -C /opt/ic/share -xf "$1" version.txt
echo "installed $(cat /opt/ic/share/version.txt)"
echo "end $(cat /opt/ic/share/version.txt)" >>/var/lib/test/installer.log
sync
