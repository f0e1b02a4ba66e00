#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# backend usage on real services: how long servers were up, deleted ones too, what is stored, beside Nova's own sum; and NHN's
# meters for partners from a server that answers as their guide says.
. "$ROOT/test/openstack/lab"
. "$ROOT/test/openstack/place"
projects a b
operator
for name in a b; do limit_room $name; done
pool_file
books a b
now() { date -u +%Y-%m-%dT%H:%M:%SZ; }
SINCE=$(now)
good pool sync lab
good request submit --tenant org-a --flavor a100 --units 1 --storage '3 GiB' --datalake '1 GiB'
good grant show g-1
SERVER=$(jq -r '.things[] | select(.kind == "server") | .token' <<<"$OUT")
container=$(jq -r '.things[] | select(.kind == "container") | .connect.url' <<<"$OUT")
as a
head -c 5000 /dev/zero >object
curl -sS --noproxy '*' -o answer -H "X-Auth-Token: $TOKEN" -T object "$container/thing"
api POST "$NOVA/servers" "$(jq -nc '{server: {name: "by-hand", flavorRef: "m1.tiny", imageRef: $i, networks: [{uuid: $n}]}}' \
    --arg i "$(api GET "$GLANCE/v2/images?name=tiny"; jq -r '.images[0].id' answer)" \
    --arg n "$(api GET "$NEUTRON/v2.0/networks?name=net0"; jq -r '.networks[0].id' answer)")"
answers 'somebody makes a server there by hand' 202
HAND=$(jq -r .server.id answer)
ok 'and it is up' becomes "$NOVA/servers/$HAND" '.server.status == "ACTIVE"'
sleep 3

# ---- what is there ----
allot backend usage lab --since "$SINCE"
ok 'the cloud has records' test "$STATUS" = 0
sample() { is "$1: $2" ".samples | any(.kind == \"$1\" and ($2))"; }
sample server '.token == "'"$SERVER"'" and .flavor == "a100" and .units == 1 and .state == "running" and .up_seconds >= 3 and .host == "a"'
sample server '.name == "by-hand" and (has("token") | not) and (has("flavor") | not) and .up_seconds >= 1'
sample volume '(.token | startswith("s")) and .provisioned_bytes == 3221225472'
sample container '(.token | startswith("s"))'
is 'no gaps' '.gaps == []'
is "Nova's sum is ours, but for the seconds of the calls" '.meters | map(select(.source == "os-simple-tenant-usage" and .host == "a")) | length == 1 and (.[0] | .ours > 0 and .difference >= -3 and .difference <= 10)'
for _ in $(seq 50); do
    good backend usage lab --since "$SINCE"
    [ "$(jq '[.samples[] | select(.kind == "container") | .stored_bytes // 0] | add' <<<"$OUT")" != 5000 ] || break
    sleep 0.5
done
sample container '.stored_bytes == 5000'
"$ALLOT" backend usage lab --since "$SINCE" >table 2>said
ok 'people get a table' grep -q by-hand table

# ---- what has gone is told as long as the cloud remembers it ----
before=$(jq -r '.samples[] | select(.name == "by-hand") | .started' <<<"$OUT")
as a
api DELETE "$NOVA/servers/$HAND"
ok 'the server goes' gone "$NOVA/servers/$HAND"
GONE=$(now)
sleep 2
allot backend usage lab --since "$SINCE"
sample server '.name == "by-hand" and .started == "'"$before"'" and .ended <= "'"$GONE"'" and .up_seconds > 0'
is 'its time is from launch to end' '.samples[] | select(.name == "by-hand") | .up_seconds == ((.ended | fromdate) - (.started | fromdate))'
allot backend usage lab --since "$(now)" --until "$SINCE"
ok 'a time that ends before it begins' test "$STATUS" = 2
good backend usage lab --since 2020-01-01 --until 2020-02-01
is 'before it there was nothing' '[.samples[] | select(.kind == "server")] == []'

# ---- wrong times, and gaps ----
allot backend usage lab --since 2099-01-01
ok 'a time that has not come' test "$STATUS" = 2
allot backend usage lab --since yesterday
ok 'a time that is none' test "$STATUS" = 2
allot backend usage nowhere
ok 'a pool that is not there' test "$STATUS" = 4
service kill cinder-api
allot backend usage lab --since "$SINCE"
ok 'a service that is down is a gap' test "$STATUS" = 1
is 'of each project' '[.gaps[].host] == ["a", "b"] and .samples == []'
says 'with a line' 'gap: a: '
service start cinder-api
jq '.clouds.lab.auth.password = "wrong"' clouds.yaml >wrong.yaml
chmod 600 wrong.yaml
OS_CLIENT_CONFIG_FILE=$PWD/wrong.yaml XDG_CACHE_HOME=$PWD/other allot backend usage lab --since "$SINCE"
is 'a wrong password too' '[.gaps[].host] == ["a", "b"]'

# ---- where tenants work by themselves ----
(umask 077 && cp clouds.yaml place.yaml && jq -s '.[0] * .[1]' clouds.yaml <(jq '{clouds: {admin: .clouds.lab, "lab-system": .clouds["lab-system"]}}' "$LAB/clouds.yaml") >all.yaml)
export OS_CLIENT_CONFIG_FILE=$PWD/all.yaml
jq 'del(.projects, .settings.image, .settings.network_range) | .settings += {deliver: "quota", cloud: "admin", system_cloud: "lab-system",
    quota: {per_unit: {a100: {vcpus: 1, memory_mib: 512, disk_gib: 10}, h100: {}}}}' pool.yaml >quota.yaml
good pool add byquota --file quota.yaml
sed 's/"lab" version/"q" version/; s/pool lab/pool byquota/' lab.policy >q.policy
good policy load q.policy
good pool bind byquota org-b --member "$OPERATOR-b"
good request submit --pool byquota --tenant org-b --flavor a100 --units 1 --storage '1 GiB' --datalake '1 GiB'
good grant show g-2
Q=$(jq -r '[.things[].connect.project_id] | unique | .[0]' <<<"$OUT")
TOKENS=$(jq -c '[.things[].token]' <<<"$OUT")
authenticate "$(password "$OPERATOR-b" "$OPERATOR-b-pw")" "$(jq -nc --arg p "$Q" '{project: {id: $p}}')"
api POST "$CINDER/$Q/volumes" '{"volume": {"size": 1, "name": "theirs", "volume_type": "ssd"}}'
answers 'the tenant makes a volume' 202
V=$(jq -r .volume.id answer)
good backend usage byquota --since "$SINCE"
is 'and it is told, with a token of its project' ".samples | any(.kind == \"volume\" and .name == \"theirs\" and (.token | IN(${TOKENS}[])) and .provisioned_bytes == 1073741824)"
is 'the account with its quota' '.samples | any(.kind == "container" and .id == "AUTH_'"$Q"'" and .provisioned_bytes == 1073741824)'
ok 'the volume is there' becomes "$CINDER/$Q/volumes/$V" '.volume.status == "available"'
api DELETE "$CINDER/$Q/volumes/$V"

# ---- meters for partners ----
cat >meters <<'END'
{"expect": "POST /oauth2/token/create", "headers": {"authorization": "Basic a2V5LWlkOmtleS1zZWNyZXQ="}, "times": 0,
 "json": {"access_token": "opaque", "token_type": "Bearer", "expires_in": 86400}}
{"expect": "POST /v1/billing/partners/P1/meters/search?page=1*", "headers": {"x-nhn-authorization": "Bearer opaque"},
 "body": {"meterTimeTypeCode": "USED_TIME", "counterNames": ["compute.g2.v100"]},
 "json": {"header": {"isSuccessful": true, "resultCode": 0, "resultMessage": "SUCCESS"}, "meterList": [
  {"projectId": "VKkasVsh", "resourceId": "r-1", "counterName": "compute.g2.v100", "counterUnit": "HOUR", "counterVolume": 3.5}]}}
{"expect": "POST /v1/billing/partners/P1/meters/search*", "json": {"header": {"isSuccessful": false, "resultCode": -8, "resultMessage": "IP ACL"}}}
{"expect": "POST /v1/billing/partners/P1/meters/search*", "json": {"header": {"isSuccessful": true, "resultCode": 0}, "nothing": 1}}
{"expect": "POST /v1/billing/partners/P1/meters/search*", "status": 403, "text": "no"}
{"expect": "POST /v1/billing/partners/P1/meters/search*", "text": "{\"header\": {"}
END
"$ROOT/test/lab/scripted-server" --log partner.log meters >partner.url 2>partner.err &
helpers+=($!)
for _ in $(seq 100); do [ ! -s partner.url ] || break; sleep 0.05; done
(umask 077 && jq --arg u "$(cat partner.url)" '.clouds.partner = {auth_type: "v3applicationcredential", core_endpoint_override: $u,
    auth: {auth_url: $u, application_credential_id: "key-id", application_credential_secret: "key-secret"}}' all.yaml >partner.yaml)
export OS_CLIENT_CONFIG_FILE=$PWD/partner.yaml
jq '.settings.partner = {id: "P1", cloud: "partner", counters: ["compute.g2.v100"]}' pool.yaml >other.yaml
good pool set lab --file other.yaml
good backend usage lab --since "$SINCE"
is 'meters are told as they come' '.meters | any(.source == "partner" and .name == "compute.g2.v100" and .unit == "HOUR" and .value == "3.5" and .id == "VKkasVsh/r-1")'
for why in 'IP ACL' 'no meterList' '403' ''; do
    allot backend usage lab --since "$SINCE"
    ok "meters that do not come ($why)" test "$STATUS" != 0
    [ -z "$why" ] || says 'with the words' "$why"
done
ok 'no secret is told' test -z "$(grep -l 'key-secret\|a2V5LWlk\|opaque' said partner.err)"
for bad in '{id: "P1"}' '{cloud: "x"}' '{id: "P1", cloud: "x", counters: [1]}' '{id: "P1", cloud: "x", key: "y"}' '"P1"'; do
    jq ".settings.partner = $bad" pool.yaml >other.yaml
    allot pool set lab --file other.yaml
    ok "partner: $bad" test "$STATUS" = 2
done
good pool set lab --file pool.yaml
admin
api DELETE "$SWIFT/AUTH_$Q"
api DELETE "$KEYSTONE/v3/projects/$Q"
export OS_CLIENT_CONFIG_FILE=$PWD/place.yaml
books_close
