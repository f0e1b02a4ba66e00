#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Accelerators are found among the node devices of a host (libvirt's test driver shows some that are not there) and
# become the right part of a domain's definition (which a real libvirtd checks; no host here could attach one).
. "$ROOT/test/libvirt/lab"
CATALOGUE='{"parts": [{"name": "h100-sxm", "pci": ["10de:2330"]}, {"name": "l40s", "pci": ["10DE:26B9"]}]}'
SETTINGS='{"domain_type": "test", "vcpus_per_unit": 4, "memory_mib": 1024, "flavors": {
    "h100": {"attach": "pci", "match": "h100-sxm"},
    "h100-1g": {"attach": "mdev", "match": "10de:2330", "mdev_type": "nvidia-700"},
    "l40s-vf": {"attach": "vf", "match": "l40s"},
    "cpu": {"attach": "vcpu", "vcpus_per_unit": 16},
    "seat": {"attach": "none", "units_per_host": 2}}}'
pool_json "h1=test://$ROOT/test/libvirt/fakehost.xml"
call sync
is 'the host answers' '.hosts[0].answered'
is 'whole cards are found by the name of the part' '[.slots[] | select(.flavor == "h100") | [.name, .address, .attach, .description]] == [["pci_0000_41_00_0", "0000:41:00.0", "pci", "GH100 [H100 SXM5 80GB]"], ["pci_0000_42_00_0", "0000:42:00.0", "pci", "GH100 [H100 SXM5 80GB]"]]'
is 'mediated devices of the wanted type by their UUID' '[.slots[] | select(.flavor == "h100-1g") | [.address, .attach]] == [["4b20d080-1b54-4048-85b3-a6a62d165c01", "mdev"]]'
is 'virtual functions, and not the card that has them' '[.slots[] | select(.flavor == "l40s-vf") | .address] == ["0000:43:00.4", "0000:43:00.5"]'
is 'an accelerator that no flavor asks for is told without one' '[.slots[] | select(.flavor == null) | .name] == ["pci_0000_43_00_0", "pci_0000_51_00_0"]'
is 'processors are counted at the configured rating' '[.slots[] | select(.flavor == "cpu")] | length == 8 and .[7].name == "vcpu-cpu-0008"'
is 'what is only counted says so' '[.slots[] | select(.flavor == "seat") | .description] | length == 2 and all(test("counted only"))'
is 'nothing else is an accelerator' '[.slots[] | select(.name == "pci_0000_00_1f_0")] == []'
for wrong in '.flavors.h100 = {attach: "pci"}:needs "match"' '.flavors.m = {attach: "mdev", match: "x"}:needs "mdev_type"' \
    '.flavors.seat = {attach: "none"}:needs "units_per_host"' '.flavors.cpu = {attach: "vcpu"}:needs "vcpus_per_unit"' \
    '.vcpus = 2:wants one of' '.image = "x":needs "storage_pool"' '.network_range = "10.0.0.1/8":must be a network' \
    '.start = "fast":start' '.overcommit_percent = "200":overcommit_percent' '.flavors.h100.units_per_host = 3:devices are found'; do
    good=$SETTINGS
    SETTINGS=$(jq -c "${wrong%%:*}" <<<"$good") || SETTINGS=$(jq -c "${wrong%:*}" <<<"$good")
    pool_json 'h1=test:///default'
    call check
    ok "refused: $wrong" grep -q "pool lab: settings.*${wrong##*:}" said
    SETTINGS=$good
done

lab_up lab
settings "$PWD/lab" '.flavors += {h100: {attach: "pci", match: "10de:2330"}}'
pool_json "h1=$URI"
device() { server "$1" | jq -c --arg a "$2" --arg by "$3" '.flavor = "h100" | .slots = [["slot", $a, $by]]'; }
call ensure "$(device 1 0000:41:00.0 pci)" "$(device 2 4b20d080-1b54-4048-85b3-a6a62d165c01 mdev)" "$(device 3 0000:43:00.4 vf)" "$(device 4 '41:00.0; rm' pci)"
is 'a host without such devices refuses' 'all(.operations[]; .answer == "refused")'
is 'an address that is none is refused before anything is made' '.operations[3].detail | test("is not a PCI address")'
ok 'and nothing of them stays' [ -z "$(virt list --all --name)" ]
