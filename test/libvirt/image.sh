#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A base image: a root disk on top of it, a cloud-init seed with the tenant's keys, addresses by DHCP; what a server that
# was cut off leaves is found and removed.
. "$ROOT/test/libvirt/lab"
lab_up lab
qemu-img create -q -f qcow2 "$PWD/lab/pools/base.qcow2" 64M
settings "$PWD/lab" '. += {image: "'"$PWD"'/lab/pools/base.qcow2", image_user: "ubuntu", root_bytes: 10737418240} '
system && SETTINGS=$(jq -c '.network_range = "10.128.0.0/9"' <<<"$SETTINGS")
pool_json "h1=$URI"
one=$(server 1 | jq -c '.keys = ["ssh-ed25519 AAAAC3NzaC1 kim@광주", "ssh-rsa AAAAB3 \"lee\""] | .number = 300')
name=allot-c1-g1-1__$STORE.1.1

call ensure "$one"
is 'a server with an image is made' '.operations[0].answer == "done"'
OUT=$(qemu-img info -U --output=json "$PWD/lab/pools/allot/${name}__root.qcow2")
is 'its root disk stands on the image and has the size that was set' '."virtual-size" == 10737418240 and (."backing-filename" | endswith("/base.qcow2"))'
virt vol-download --pool allot "${name}__seed.img" seed
ok 'the seed comes back from the daemon as large as it went' [ "$(stat -c %s seed)" = 1474560 ]
if command -v blkid >/dev/null; then
    ok 'it is a file system with the label that cloud-init looks for' [ "$(blkid -p -s LABEL -o value seed)" = CIDATA ]
fi
# file FILE: what lies in the image, read by its directory and its table
file() {
    perl -e 'local $/; open F, "<", "seed"; binmode F; $d = <F>; $long = "";
        for ($i = 0; $i < 224; $i++) { $x = substr($d, 9728 + 32 * $i, 32); last if ord $x == 0;
            if (ord(substr $x, 11) == 15) { $long = substr($x, 1, 10) . substr($x, 14, 12) . substr($x, 28, 4); $long =~ s/\0\0.*//s; $long =~ s/\0//g; next }
            ($c, $n) = unpack "vV", substr($x, 26); $out = "";
            for ($at = $c; $long eq $ARGV[0] && $at < 0xff8; ) { $out .= substr($d, 16896 + 512 * ($at - 2), 512);
                $v = unpack "v", substr($d, 512 + int($at * 3 / 2), 2); $at = $at % 2 ? $v >> 4 : $v & 0xfff }
            print substr($out, 0, $n) if $long eq $ARGV[0]; $long = "" }' "$1"
}
ok 'the user data says what it is' [ "$(file user-data | head -n 1)" = '#cloud-config' ]
OUT=$(file user-data | tail -n +2)
is 'it holds the keys of the tenant, exactly' '.users[1] | .name == "ubuntu" and .ssh_authorized_keys == ["ssh-ed25519 AAAAC3NzaC1 kim@광주", "ssh-rsa AAAAB3 \"lee\""]'
OUT=$(file meta-data)
is 'the meta data name the instance' '."instance-id" == "'$STORE'.1.1" and ."local-hostname" == "allot-c1-g1-1"'
ok 'the root disk comes first, the seed last' [ "$(virt domblklist allot-c1-g1-1 | sed -n 's/.*__\([a-z]*\)\..*/\1/p' | tr '\n' ' ')" = 'root seed ' ]
if system; then
    ok 'the network of tenant 300 has its own range' grep -q "10.129.44.1" <(virt net-dumpxml "allot-$STORE-t300")
fi
call observe
is 'a server is seen as one thing' '[.seen[] | [.kind, .token]] == [["server", "'$STORE'.1.1"]]'

# cut off before it was defined: disks without a domain
virt destroy allot-c1-g1-1 >/dev/null
virt undefine allot-c1-g1-1 >/dev/null
call observe
is 'disks without their domain are seen as a failed server' '[.seen[] | [.kind, .token, .state]] == [["server", "'$STORE'.1.1", "failed"]]'
call ensure "$one"
is 'ensure goes on from there' '.operations[0].answer == "done"'
virt destroy allot-c1-g1-1 >/dev/null
virt undefine allot-c1-g1-1 >/dev/null
call remove "$one"
is 'and remove takes the rest away' '.operations[0].answer == "done"'
ok 'truly' [ -z "$(ls "$PWD/lab/pools/allot")" ]

# refused by QEMU at the start: nothing of it may stay
SETTINGS=$(jq -c '.memory_mib = 67108864' <<<"$SETTINGS")
pool_json "h1=$URI"
call ensure "$one"
is 'a server that cannot start is refused in the words of the host' '.operations[0] | .answer == "refused" and (.detail | test("cannot be started"))'
ok 'and leaves no disk' [ -z "$(ls "$PWD/lab/pools/allot")" ]
ok 'and no domain' [ -z "$(virt list --all --name)" ]
