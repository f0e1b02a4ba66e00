#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Clouds, tokens and calls, against real services: the settings are read as OpenStack's own library reads them, each kind of
# credential opens what it should, a token that was revoked is renewed, and each service is quoted in its own words.
. "$ROOT/test/openstack/lab"
SESSION=$BUILD/openstack/session
PYTHON=$(jq -r .cache "$LAB/settings.json")/python/bin/python3
unset "${!OS_@}"

# ---- the settings ----
# same NAME[:REGION]... : both read the same clouds; ":" is the default one
same() {
    local cloud
    for cloud; do "$SESSION" cloud "${cloud%%:*}" "${cloud#*:}" || return 1; done >lines
    jq -S 'del(.auth, .scope, .version, .endpoints)' lines >ours
    "$PYTHON" -W ignore "$ROOT/test/openstack/sdk_cloud.py" "$@" | jq -S . >theirs
    diff theirs ours
}
umask 077
cat >clouds.yaml <<'YAML'
clouds:
  plain: &plain
    auth: {auth_url: "http://h:5000/v3", username: kim, password: "pw", project_name: pilot, user_domain_name: Default}
    region_name: KR1
  merged:
    <<: *plain
    interface: internal
    cacert: /etc/ca.pem
  one-domain:
    auth: {auth_url: http://h, username: kim, password: pw, tenant_id: "0123", domain_id: d1}
  unscoped:
    auth: {auth_url: http://h, user_id: u1, password: pw, domain_name: D}
    endpoint_type: adminURL
  beside:
    auth: {auth_url: http://h, username: kim, password: pw, user-domain-id: d}
    project-name: beside
    project_domain_name: PD
  regions:
    auth: {auth_url: http://h, username: kim, password: pw, project_id: p}
    regions:
      - KR1
      - {name: KR3, values: {interface: admin}}
  credential:
    auth_type: v3applicationcredential
    auth: {auth_url: http://h, application_credential_id: a1, application_credential_secret: s1}
YAML
cat >secure.yaml <<'YAML'
clouds:
  plain: {auth: {password: deep}}
YAML
ok 'clouds are read as the library reads them, each region too' same plain: merged: one-domain: unscoped: beside: regions: \
    regions:KR3 credential:
OS_CLOUD=merged ok 'so is the one that OS_CLOUD names' same :
export OS_AUTH_URL=http://h/v3 OS_USERNAME=kim OS_PASSWORD=0123 OS_TENANT_NAME=t OS_REGION_NAME=KR3 OS_USER_DOMAIN_NAME=D \
    OS_INTERFACE=internal OS_IDENTITY_API_VERSION=3
ok 'so are the variables, and they are called so' same : envvars:
OS_CLOUD=plain ok 'but OS_CLOUD comes before them' same :
unset "${!OS_@}"
rm clouds.yaml secure.yaml

# ---- tokens ----
export OS_CLIENT_CONFIG_FILE=$PWD/mine.yaml
project id-a
USER_A=$USER_ID PROJECT_A=$PROJECT
api POST "$KEYSTONE/v3/users/$USER_A/application_credentials" '{"application_credential": {"name": "run"}}'
CREDENTIAL=$(jq -r '.application_credential | .id' answer) SECRET=$(jq -r '.application_credential | .secret' answer)
domain='user_domain_id: default, project_domain_id: default'
cat >mine.yaml <<YAML
clouds:
  name: {auth: {auth_url: $KEYSTONE/v3, username: id-a, password: id-a-pw, project_name: id-a, $domain}}
  id: {auth: {auth_url: $KEYSTONE, user_id: $USER_A, password: id-a-pw, project_id: $PROJECT_A}}
  no-domain: {auth: {auth_url: $KEYSTONE/v3/, username: id-a, password: id-a-pw, project_name: id-a}}
  old: {auth: {auth_url: $KEYSTONE/v2.0, username: id-a, password: id-a-pw, project_id: $PROJECT_A}}
  credential: {auth_type: v3applicationcredential, auth: {auth_url: $KEYSTONE, application_credential_id: $CREDENTIAL,
    application_credential_secret: "$SECRET"}}
  named-credential: {auth_type: v3applicationcredential, auth: {auth_url: $KEYSTONE, application_credential_name: run,
    user_id: $USER_A, application_credential_secret: "$SECRET"}}
  unscoped: {auth: {auth_url: $KEYSTONE, username: id-a, password: id-a-pw, $domain}}
  system: {auth: {auth_url: $KEYSTONE, username: admin, password: secret, user_domain_id: default, system_scope: all}}
  wrong: {auth: {auth_url: $KEYSTONE, username: id-a, password: id-a-pW, project_name: id-a, $domain}}
  foreign: {auth: {auth_url: $KEYSTONE, username: id-a, password: id-a-pw, project_name: admin, $domain}}
  deaf: {auth: {auth_url: "http://127.0.0.1:9", username: id-a, password: id-a-pw, project_name: id-a, $domain}}
YAML
# run ARGUMENT... : a session; sets OUT and STATUS
run() {
    STATUS=0
    OUT=$("$SESSION" "$@") || STATUS=$?
}
for cloud in name id no-domain old credential named-credential; do
    run look $cloud
    is "$cloud: a token of the project" ".project_id == \"$PROJECT_A\" and .version == 3 and (.skew | fabs) < 5"
    is "$cloud: with the role" '.roles | index("member")'
done
run look unscoped
is 'an unscoped token is of no project' '.project_id == null'
run look system
is 'nor is one of the system, and it has the role admin' '.project_id == null and (.roles | index("admin"))'
run look wrong
answers 'a wrong password fails' 1
is 'in the words of keystone' '.error | test("cloud wrong: POST .*/v3/auth/tokens: answered 401: The request you have made requires")'
is 'with what to do' '.hint == "check user, password and project"'
run look foreign
is "so does another's project" '.error | test("answered 401")'
run look deaf
answers 'one that is not there is to be tried again' 6
is 'and says so' '.error | test("not reached: ")'

run look name "$PWD/tokens"
is 'a new token' '.from_cache | not'
run look name "$PWD/tokens"
is 'is kept for the next process' '.from_cache'
ok 'in a file that only its owner reads' test "$(stat -c %a tokens/*)" = 600
TOKEN=$(jq -r .id tokens/*)
OLD=$TOKEN
api DELETE "$KEYSTONE/v3/auth/tokens" '' -H "X-Subject-Token: $OLD"
answers 'it is revoked' 204
run call name "$PWD/tokens" identity GET "/users/$USER_A"
is 'a call renews it' '.status == 200 and .body.user.name == "id-a"'
ok 'and keeps the new one' test "$(jq -r .id tokens/*)" != "$OLD"

# ---- services ----
for line in 'compute /servers servers' 'block-storage /volumes volumes' 'network /v2.0/networks networks' \
    'image /v2/images images' 'object-store ?format=json' 'identity /auth/projects projects'; do
    read -r service path key <<<"$line"
    run call name "$PWD/tokens" "$service" GET "$path"
    is "$service answers" ".status == 200 and (.body${key:+.$key} | type == \"array\")"
done
run call name "$PWD/tokens" nasv1 GET /
answers 'a service that is not there is an error' 1
is 'that names those that are' '.hint | test("compute")'
quotes() { # quotes WORDS SERVICE METHOD URL [BODY] : the error of the service, in its own words
    run call "${CLOUD:-name}" "$PWD/tokens" "${@:2}"
    answers "$2 refuses" 1
    is "$2 is quoted" ".error | endswith(\"$1\")"
}
quotes 'answered 404: Instance none could not be found.' compute GET /servers/none
quotes 'answered 404: Volume none could not be found.' block-storage GET /volumes/none
quotes 'answered 404: NetworkNotFound: Network none could not be found.' network GET /v2.0/networks/none
quotes 'answered 404: No image found with ID none' image GET /v2/images/none
CLOUD=system quotes 'answered 404: Could not find user: none.' identity GET /users/none
quotes 'answered 404: Not Found The resource could not be found.' object-store GET /none
quotes 'answered 400: Malformed request body' compute POST /servers '{'
CLOUD=system quotes 'No resource provider with uuid none found' placement GET /resource_providers/none
run call name "$PWD/tokens" block-storage POST /volumes '{"volume": {"size": 100000}}'
is 'a quota is refused in its words' '.error | test("answered 413: VolumeSizeExceedsAvailableQuota: ")'

# ---- a service that dies ----
service kill keystone
run call name "$PWD/tokens" identity GET "/users/$USER_A"
answers 'a service that is down is to be tried again' 6
service start keystone
run call name "$PWD/tokens" identity GET "/users/$USER_A"
is 'and answers when it is back' '.status == 200'
