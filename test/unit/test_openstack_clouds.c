/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/openstack_catalog.h"
#include "backends/openstack_clouds.h"
#include "backends/openstack_identity_token.h"

#include "alloc/json.h"
#include "alloc/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- one entry ---- */

static struct cloud *from(const char *yaml, const char *region, struct err *e) {
    struct err wrong = {0};
    scoped_json json_t *entry = yaml_load_text(yaml, strlen(yaml), "t", NULL, &wrong);
    if (!entry) fail_msg("%s", wrong.what);
    return cloud_from(entry, "clouds.yaml", "nhn", region, e);
}

static struct cloud *good(const char *yaml) {
    struct err e = {0};
    struct cloud *c = from(yaml, NULL, &e);
    if (!c) fail_msg("%s", e.what);
    return c;
}

static void refused(const char *yaml, const char *words) {
    struct err e = {0};
    assert_null(from(yaml, NULL, &e));
    if (!strstr(e.what, words)) fail_msg("'%s' lacks '%s'", e.what, words);
    assert_int_not_equal(e.code, ERR_NONE);
}

#define BASE "auth: {auth_url: 'http://h/v3', username: kim, password: pw, project_id: p1}\n"

static void a_cloud_is_read_with_all_that_it_says(void **state) {
    (void)state;
    struct cloud *c =
        good("auth:\n  auth_url: https://keystone.example/v3\n  username: kim\n  password: 's3cret'\n"
             "  project_name: pilot\n  user-domain-name: Default\n  project_domain_id: default\n"
             "region_name: KR3\ninterface: internalURL\nidentity_api_version: 3\n"
             "cacert: /etc/ca.pem\nverify: yes\nvolume_endpoint_override: http://v/v3\n"
             "object-store-endpoint-override: http://o/v1\nnetworks: [1]\nfloating_ip_source: x\n");
    assert_string_equal(c->auth_url, "https://keystone.example/v3");
    assert_string_equal(c->username, "kim");
    assert_string_equal(c->password, "s3cret");
    assert_string_equal(c->project_name, "pilot");
    assert_string_equal(c->user_domain_name, "Default");
    assert_string_equal(c->project_domain_id, "default");
    assert_string_equal(c->region_name, "KR3");
    assert_string_equal(c->interface, "internal");
    assert_string_equal(c->cacert, "/etc/ca.pem");
    assert_int_equal(c->identity_version, 3);
    assert_int_equal(c->scope, CLOUD_PROJECT);
    assert_string_equal(json_string_value(json_object_get(c->endpoints, "volume")), "http://v/v3");
    assert_string_equal(json_string_value(json_object_get(c->endpoints, "object-store")), "http://o/v1");
    cloud_free(c);
}

static void tenants_are_projects_and_one_domain_is_both(void **state) {
    (void)state;
    struct cloud *c = good("auth: {auth_url: 'http://h', username: kim, password: pw, tenant_name: t1, "
                           "domain_id: d1}\nauth_type: v2password\n");
    assert_string_equal(c->project_name, "t1");
    assert_string_equal(c->user_domain_id, "d1");
    assert_string_equal(c->project_domain_id, "d1");
    assert_null(c->domain_id);
    assert_int_equal(c->identity_version, 2);
    cloud_free(c);
    c = good(BASE "tenant_id: t2\n"); /* project_id beats tenant_id */
    assert_string_equal(c->project_id, "p1");
    cloud_free(c);
    c = good(BASE "project_id: p2\nusername: lee\n"); /* beside auth wins for projects, inside for users */
    assert_string_equal(c->project_id, "p2");
    assert_string_equal(c->username, "kim");
    cloud_free(c);
}

static void scopes_are_told_apart(void **state) {
    (void)state;
    struct cloud *c = good("auth: {auth_url: 'http://h', user_id: u1, password: pw, system_scope: all}\n");
    assert_int_equal(c->scope, CLOUD_SYSTEM);
    cloud_free(c);
    c = good("auth: {auth_url: 'http://h', user_id: u1, password: pw, domain_name: D}\n");
    assert_int_equal(c->scope, CLOUD_DOMAIN);
    assert_string_equal(c->domain_name, "D");
    cloud_free(c);
    c = good("auth: {auth_url: 'http://h', user_id: u1, password: pw}\nidentity_api_version: '2.0'\n");
    assert_int_equal(c->scope, CLOUD_UNSCOPED);
    assert_int_equal(c->identity_version, 2);
    cloud_free(c);
    c = good("auth_type: v3applicationcredential\nauth: {auth_url: 'http://h', application_credential_id: a, "
             "application_credential_secret: s}\n");
    assert_int_equal(c->auth, CLOUD_APPLICATION_CREDENTIAL);
    cloud_free(c);
    refused(BASE "system_scope: all\n", "cannot stand beside a project");
    refused("auth: {auth_url: 'http://h', user_id: u1, password: pw, system_scope: some}\n", "must be all");
}

static void regions_may_have_values_of_their_own(void **state) {
    (void)state;
    static const char yaml[] =
        BASE "regions:\n- KR1\n- name: KR3\n  values:\n    interface: admin\n    auth: {password: other}\n";
    struct err e = {0};
    struct cloud *c = good(yaml);
    assert_string_equal(c->region_name, "KR1");
    assert_string_equal(c->password, "pw");
    cloud_free(c);
    c = from(yaml, "KR3", &e);
    assert_string_equal(c->region_name, "KR3");
    assert_string_equal(c->interface, "admin");
    assert_string_equal(c->password, "other");
    assert_string_equal(c->project_id, "p1");
    cloud_free(c);
    assert_null(from(yaml, "KR9", &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_string_equal(e.hint, "its regions: KR1, KR3");
    c = from(BASE "region_name: KR1\n", "JP1", (err_clear(&e), &e));
    assert_string_equal(c->region_name, "JP1");
    cloud_free(c);
    refused(BASE "regions: KR1\n", "regions: must be a list");
    refused(BASE "regions: [3]\n", "must be a list of names");
    refused(BASE "regions: [{values: {}}]\n", "must be a list of names");
}

static void what_is_missing_or_of_a_wrong_type_is_named(void **state) {
    (void)state;
    refused("[]", "clouds.yaml: clouds.nhn: must be a mapping");
    refused("auth: text\n", "clouds.yaml: clouds.nhn: auth: must be a mapping");
    refused("auth: {}\n", "auth_url: is missing");
    refused("auth: {auth_url: 'http://h'}\n", "username: is missing");
    refused("auth: {auth_url: 'http://h', username: kim}\n", "password: is missing");
    refused("auth: {auth_url: 'http://h', username: kim, password: ''}\n", "password: is missing");
    refused("auth: {auth_url: 'http://h', username: kim, password: 0123}\n",
            "password: must be text: put it in quotes");
    refused("auth: {auth_url: 'http://h', username: [kim], password: pw}\n", "username: must be text");
    refused("auth: {auth_url: 'http://h', username: kim, password: pw, project_id: 7}\n",
            "project_id: must be text");
    refused("auth: {auth_url: 'http://h', username: \"ki\\nm\", password: pw}\n", "control characters");
    refused("auth: {auth_url: 'ftp://h', username: kim, password: pw}\n",
            "auth_url: must be an http or https URL");
    refused("auth: {auth_url: 'http://kim:pw@h', username: kim, password: pw}\n", "without user or query");
    refused("auth_type: v3applicationcredential\nauth: {auth_url: 'http://h'}\n",
            "credential_secret: is missing");
    refused("auth_type: v3applicationcredential\nauth: {auth_url: 'http://h', application_credential_secret: "
            "s}\n",
            "credential_id: is missing");
    refused(BASE "auth_type: v3oidcpassword\n", "auth_type: is not a kind");
    refused(BASE "identity_api_version: 4\n", "identity_api_version: must be 2 or 3");
    refused(BASE "identity_api_version: 3x\n", "identity_api_version: must be 2 or 3");
    refused(BASE "interface: outer\n", "interface: must be");
    refused(BASE "compute_endpoint_override: nova\n", "compute_endpoint_override: must be");
}

static void what_would_be_unsafe_is_refused(void **state) {
    (void)state;
    static const char *const keys[] = {"verify: false",  "verify: no",       "verify: 'False'", "verify: 0",
                                       "insecure: true", "insecure: 'True'", "insecure: 1"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml, BASE "%s\n", keys[i]);
        refused(yaml, "certificates are always verified");
    }
    refused(BASE "verify: /etc/ca.pem\n", "the file of a private authority is cacert");
    refused(BASE "cert: /etc/me.pem\n", "client certificates are not sent");
    refused(BASE "profile: rackspace\n", "vendor profiles are not read");
    cloud_free(good(BASE "insecure: false\nverify: true\nprofile: ''\n"));
}

static void copies_are_for_another_project_or_user(void **state) {
    (void)state;
    struct cloud *c = good(BASE "compute_endpoint_override: http://c\nregion_name: KR3\n");
    struct cloud *other = cloud_for_project(c, "p9"), *system = cloud_for_system(other);
    struct cloud *user = cloud_for_user(other, "lee", NULL, "pw2");
    cloud_free(c);
    assert_string_equal(other->project_id, "p9");
    assert_string_equal(other->username, "kim");
    assert_string_equal(other->region_name, "KR3");
    assert_string_equal(json_string_value(json_object_get(other->endpoints, "compute")), "http://c");
    assert_int_equal(system->scope, CLOUD_SYSTEM);
    assert_null(system->project_id);
    assert_string_equal(user->username, "lee");
    assert_string_equal(user->password, "pw2");
    assert_string_equal(user->project_id, "p9");
    assert_string_not_equal(token_key(other).hex, token_key(user).hex);
    assert_string_not_equal(token_key(other).hex, token_key(system).hex);
    cloud_free(other);
    cloud_free(system);
    cloud_free(user);
}

/* ---- files and variables ---- */

static char home[256];

static int home_make(void **state) {
    (void)state;
    snprintf(home, sizeof home, "%s/clouds.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(home) || chdir(home) < 0) return -1;
    for (char **v = environ; *v;) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*v, "="), *v);
        if (strncmp(name, "OS_", 3) == 0 || strncmp(name, "XDG_", 4) == 0)
            unsetenv(name);
        else
            v++;
    }
    return setenv("HOME", home, 1);
}

static void put(const char *name, const char *text) {
    unlink(name);
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(name, 0600), 0);
}

static void load_refused(const char *name, enum err_code code, const char *words, const char *hint) {
    struct err e = {0};
    assert_null(cloud_load(name, NULL, &e));
    if (!strstr(e.what, words)) fail_msg("'%s' lacks '%s'", e.what, words);
    if (hint && !strstr(e.hint, hint)) fail_msg("'%s' lacks '%s'", e.hint, hint);
    assert_int_equal(e.code, code);
}

static struct cloud *loaded(const char *name) {
    struct err e = {0};
    struct cloud *c = cloud_load(name, NULL, &e);
    if (!c) fail_msg("%s", e.what);
    return c;
}

static void load_expect(const char *name, const char *username, const char *source) {
    struct cloud *c = loaded(name);
    assert_string_equal(c->username, username);
    assert_string_equal(c->source, source);
    cloud_free(c);
}

#define ENTRY(name, user) "  " name ": {auth: {auth_url: 'http://h', username: " user ", password: pw}}\n"

static void the_first_file_found_counts(void **state) {
    (void)state;
    char deep[300], deeper[400];
    load_refused("nhn", ERR_NOT_FOUND, "no clouds.yaml was found", "write one");
    load_refused(NULL, ERR_NOT_FOUND, "no cloud is configured", NULL);
    snprintf(deep, sizeof deep, "%s/.config", home);
    mkdir(deep, 0700);
    snprintf(deep, sizeof deep, "%s/.config/openstack", home);
    mkdir(deep, 0700);
    snprintf(deeper, sizeof deeper, "%s/clouds.yaml", deep);
    put(deeper, "clouds:\n" ENTRY("nhn", "home") ENTRY("nhm", "x"));
    load_expect("nhn", "home", deeper);
    put("clouds.yml", "clouds:\n" ENTRY("nhn", "here"));
    load_expect("nhn", "here", "./clouds.yml");
    load_expect(NULL, "here", "./clouds.yml"); /* the only one */
    put("clouds.yaml", "clouds:\n" ENTRY("nhn", "better") ENTRY("lab", "lab"));
    load_expect("nhn", "better", "./clouds.yaml");
    load_refused(NULL, ERR_USAGE, "has several clouds and none is named", "OS_CLOUD");
    setenv("OS_CLOUD", "lab", 1);
    load_expect(NULL, "lab", "./clouds.yaml");
    setenv("OS_CLOUD", "lob", 1);
    load_refused(NULL, ERR_NOT_FOUND, "there is no cloud \"lob\" in ./clouds.yaml", "did you mean lab?");
    unsetenv("OS_CLOUD");
    put("mine.json", "{\"clouds\": {\"nhn\": {\"auth\": {\"auth_url\": \"http://h\", \"username\": \"json\", "
                     "\"password\": \"pw\"}}}}");
    setenv("OS_CLIENT_CONFIG_FILE", "mine.json", 1);
    load_expect("nhn", "json", "mine.json");
    setenv("OS_CLIENT_CONFIG_FILE", "nowhere.yaml", 1);
    load_refused("nhn", ERR_NOT_FOUND, "$OS_CLIENT_CONFIG_FILE names nowhere.yaml: No such file", "unset");
    unsetenv("OS_CLIENT_CONFIG_FILE");
}

static void the_secure_file_lies_over_the_other(void **state) {
    (void)state;
    put("clouds.yaml", "clouds:\n  nhn: {auth: {auth_url: 'http://h', username: kim}}\n");
    load_refused("nhn", ERR_USAGE, "./clouds.yaml: clouds.nhn: password: is missing", NULL);
    put("secure.yaml", "clouds: {nhn: {auth: {password: deep}}}\n");
    struct cloud *c = loaded("nhn");
    assert_string_equal(c->password, "deep");
    assert_string_equal(c->username, "kim");
    cloud_free(c);
    chmod("clouds.yaml", 0644); /* no secret in it */
    cloud_free(loaded("nhn"));
    chmod("secure.yaml", 0644);
    load_refused("nhn", ERR_FAILED, "./secure.yaml: holds a secret, and others may read it",
                 "chmod o-rwx ./secure.yaml");
    chmod("secure.yaml", 0602);
    load_refused("nhn", ERR_FAILED, "others may change it", NULL);
    chmod("secure.yaml", 0640);
    cloud_free(loaded("nhn"));
    put("secure.yaml", "clouds: [nhn]\n");
    load_refused("nhn", ERR_USAGE, "./secure.yaml: clouds: must be a mapping", NULL);
    unlink("secure.yaml");
}

static void a_broken_file_is_never_skipped(void **state) {
    (void)state;
    put("clouds.yaml", "clouds:\n  nhn: {auth: [}\n");
    load_refused("nhn", ERR_USAGE, "./clouds.yaml:2:", NULL);
    put("clouds.yaml", "- 1\n");
    load_refused("nhn", ERR_USAGE, "./clouds.yaml: must be a mapping", NULL);
    put("clouds.yaml", "");
    load_refused("nhn", ERR_USAGE, "./clouds.yaml: must be a mapping", NULL);
    put("clouds.yaml", "clouds: 7\n");
    load_refused("nhn", ERR_USAGE, "./clouds.yaml: clouds: must be a mapping", NULL);
    put("clouds.yaml", "other: 7\n");
    load_refused("nhn", ERR_NOT_FOUND, "there is no cloud \"nhn\" in ./clouds.yaml", NULL);
    put("clouds.yaml", "clouds:\n  nhn: {}\n  nhn: {}\n");
    load_refused("nhn", ERR_USAGE, "stands twice", NULL);
    unlink("clouds.yaml");
    mkdir("clouds.yaml", 0700);
    load_refused("nhn", ERR_USAGE, "./clouds.yaml", NULL);
    rmdir("clouds.yaml");
}

static void variables_make_a_cloud_of_their_own(void **state) {
    (void)state;
    setenv("OS_REGION_NAME", "KR1", 1);
    setenv("OS_TEST_PATH", "x", 1);
    load_refused("envvars", ERR_NOT_FOUND, "there is no cloud \"envvars\"", NULL);
    setenv("OS_AUTH_URL", "http://h/v2.0", 1);
    load_refused(NULL, ERR_USAGE, "the variables OS_*: OS_USERNAME: is missing", NULL);
    setenv("OS_USERNAME", "env", 1);
    setenv("OS_PASSWORD", "0123", 1);
    setenv("OS_TENANT_ID", "t1", 1);
    setenv("OS_ENDPOINT_TYPE", "adminURL", 1);
    setenv("OS_PROJECT_NAME", "", 1);
    struct cloud *c = loaded(NULL);
    assert_string_equal(c->name, "envvars");
    assert_string_equal(c->source, CLOUD_ENVIRONMENT);
    assert_string_equal(c->password, "0123");
    assert_string_equal(c->project_id, "t1");
    assert_string_equal(c->region_name, "KR1");
    assert_string_equal(c->interface, "admin");
    cloud_free(c);
    setenv("OS_INSECURE", "true", 1);
    load_refused(NULL, ERR_USAGE, "OS_INSECURE: certificates are always verified", NULL);
    unsetenv("OS_INSECURE");
    put("clouds.yaml", "clouds:\n" ENTRY("lab", "file"));
    load_expect(NULL, "env", CLOUD_ENVIRONMENT);
    load_expect("lab", "file", "./clouds.yaml");
    setenv("OS_CLOUD", "lab", 1);
    load_expect(NULL, "file", "./clouds.yaml");
    unsetenv("OS_CLOUD");
    setenv("OS_CLOUD_NAME", "mine", 1);
    c = loaded("mine");
    assert_string_equal(c->name, "mine");
    cloud_free(c);
}

/* ---- the catalog ---- */

static void catalog_expect(const json_t *catalog, const char *type, const char *region, const char *interface,
                           const char *url) {
    struct err e = {0};
    const char *found = catalog_find(catalog, type, region, interface, &e);
    if (!found) fail_msg("%s", e.what);
    assert_string_equal(found, url);
}

static void catalog_refused(const json_t *catalog, const char *type, const char *region,
                            const char *interface, const char *words, const char *hint) {
    struct err e = {0};
    assert_null(catalog_find(catalog, type, region, interface, &e));
    assert_string_equal(e.what, words);
    assert_string_equal(e.hint, hint);
    assert_int_equal(e.code, ERR_FAILED);
}

static json_t *json(const char *text) {
    struct text fixed = {0};
    for (; *text; text++) text_put(&fixed, *text == '\'' ? "\"" : text, 1);
    json_t *value = json_loads(fixed.s, 0, NULL);
    assert_non_null(value);
    text_free(&fixed);
    return value;
}

static void both_layouts_are_found_by_type_region_and_interface(void **state) {
    (void)state;
    scoped_json json_t *old =
        json("[{'type': 'compute', 'name': 'nova', 'endpoints': [{'region': 'KR1', 'publicURL': "
             "'https://kr1/v2/t/'},"
             " {'region': 'KR3', 'publicURL': 'https://kr3/v2/t', 'adminURL': 'https://a'}]},"
             " {'type': 'volumev2', 'endpoints': [{'region': 'KR1', 'publicURL': 'https://v/v2/t'}]},"
             " {'type': 'image', 'endpoints': [{'region': 7, 'publicURL': 'https://i'}]},"
             " {'type': 'nasv1', 'endpoints': 7}, {'endpoints': []}, 7, {'type': 'x', 'endpoints': "
             "[{'publicURL': 7}]}]");
    scoped_json json_t *v2 = catalog_from_v2(old);
    catalog_expect(v2, "compute", "KR1", "public", "https://kr1/v2/t");
    catalog_expect(v2, "compute", "kr3", "public", "https://kr3/v2/t");
    catalog_expect(v2, "compute", "KR3", "admin", "https://a");
    catalog_expect(v2, "block-storage", "KR1", "public", "https://v/v2/t");
    catalog_expect(v2, "volumev2", NULL, "public", "https://v/v2/t");
    catalog_expect(v2, "image", "KR1", "public", "https://i"); /* of no region: of every one */
    catalog_refused(v2, "nasv1", "KR1", "public", "the catalog has no service \"nasv1\"",
                    "it has: compute, volumev2, image");
    catalog_refused(v2, "compute", "KR9", "public", "the catalog has no service \"compute\" in region KR9",
                    "its regions: KR1, KR3");
    catalog_refused(v2, "compute", NULL, "public",
                    "the service \"compute\" is in several regions and none is named",
                    "its regions: KR1, KR3");
    catalog_refused(v2, "compute", "KR1", "admin",
                    "the catalog has no admin address of the service \"compute\"", "its interfaces: public");
    scoped_json json_t *new = json(
        "[{'type': 'volume', 'endpoints': [{'interface': 'public', 'region_id': 'R', 'url': 'http://v1/'}]},"
        " {'type': 'volumev3', 'name': 'cinder', 'endpoints': ["
        "  {'interface': 'internal', 'region': 'R', 'url': 'http://i'},"
        "  {'interface': 'publicURL', 'region': 'R', 'region_id': 'R', 'url': 'http://v3///'}]}]");
    scoped_json json_t *v3 = catalog_from_v3(new);
    catalog_expect(v3, "block-storage", "R", "public", "http://v3");
    catalog_expect(v3, "block-storage", NULL, "internal", "http://i");
    catalog_expect(v3, "volume", NULL, "public", "http://v1");
    scoped_json json_t *none = catalog_from_v3(NULL);
    catalog_refused(none, "compute", "R", "public", "the catalog has no service \"compute\"",
                    "it has: nothing");
}

/* ---- what is asked, and times ---- */

static void request_expect(const char *yaml, int version, const char *expected) {
    struct cloud *c = good(yaml);
    scoped_json json_t *request = token_request(c, version), *wanted = json(expected);
    scoped_free char *a = json_canonical(request), *b = json_canonical(wanted);
    assert_string_equal(a, b);
    cloud_free(c);
}

static void requests_say_what_the_settings_say(void **state) {
    (void)state;
    request_expect(
        BASE, 2,
        "{'auth': {'tenantId': 'p1', 'passwordCredentials': {'username': 'kim', 'password': 'pw'}}}");
    request_expect("auth: {auth_url: 'http://h', user_id: u, password: pw, project_name: n}\n", 2,
                   "{'auth': {'tenantName': 'n', 'passwordCredentials': {'userId': 'u', 'password': 'pw'}}}");
    request_expect("auth: {auth_url: 'http://h', user_id: u, password: pw, project_id: p}\n", 3,
                   "{'auth': {'identity': {'methods': ['password'], 'password': {'user': {'id': 'u', "
                   "'password': 'pw'}}},"
                   " 'scope': {'project': {'id': 'p'}}}}");
    request_expect(
        "auth: {auth_url: 'http://h', username: u, password: pw, project_name: p, domain_name: D}\n", 3,
        "{'auth': {'identity': {'methods': ['password'], 'password': {'user': {'name': 'u', 'domain': {"
        "'name': 'D'}, 'password': 'pw'}}}, 'scope': {'project': {'name': 'p', 'domain': {'name': 'D'}}}}}");
    request_expect(
        "auth: {auth_url: 'http://h', username: u, password: pw, system_scope: all}\n", 3,
        "{'auth': {'identity': {'methods': ['password'], 'password': {'user': {'name': 'u', 'domain': {"
        "'id': 'default'}, 'password': 'pw'}}}, 'scope': {'system': {'all': true}}}}");
    request_expect(
        "auth_type: v3applicationcredential\nauth: {auth_url: 'http://h', application_credential_name: n,"
        " application_credential_secret: s, user_id: u}\n",
        3,
        "{'auth': {'identity': {'methods': ['application_credential'], 'application_credential': {"
        "'name': 'n', 'user': {'id': 'u'}, 'secret': 's'}}}}");
}

static void times_come_in_both_forms(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t s;
    } good_times[] = {
        {"2020-04-29T15:31:21Z", 1588174281},        {"2020-04-29T15:31:21.000405", 1588174281},
        {"2020-04-29T15:31:21.999999Z", 1588174281}, {"2020-04-29T15:31:21", 1588174281},
        {"2020-04-30T00:31:21+09:00", 1588174281},   {"2020-04-30T00:31:21.5+09:00", 1588174281}};
    static const char *const bad[] = {"",
                                      "2020-04-29",
                                      "2020-04-29T15:31:21.Z",
                                      "2020-04-29T15:31:21.",
                                      "never",
                                      "2020-02-30T15:31:21Z",
                                      "2020-04-29T15:31:21Zx",
                                      "1588174281",
                                      "2020-04-29T15:31:21.123456789012345678901234567890Q"};
    for (size_t i = 0; i < sizeof good_times / sizeof *good_times; i++) {
        instant_t t;
        struct err e = {0};
        assert_int_equal(token_time_parse(good_times[i].text, &t, &e), 0);
        assert_int_equal(t.s, good_times[i].s);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        instant_t t;
        struct err e = {0};
        assert_int_equal(token_time_parse(bad[i], &t, &e), -1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cloud_is_read_with_all_that_it_says),
        cmocka_unit_test(tenants_are_projects_and_one_domain_is_both),
        cmocka_unit_test(scopes_are_told_apart),
        cmocka_unit_test(regions_may_have_values_of_their_own),
        cmocka_unit_test(what_is_missing_or_of_a_wrong_type_is_named),
        cmocka_unit_test(what_would_be_unsafe_is_refused),
        cmocka_unit_test(copies_are_for_another_project_or_user),
        cmocka_unit_test_setup(the_first_file_found_counts, home_make),
        cmocka_unit_test_setup(the_secure_file_lies_over_the_other, home_make),
        cmocka_unit_test_setup(a_broken_file_is_never_skipped, home_make),
        cmocka_unit_test_setup(variables_make_a_cloud_of_their_own, home_make),
        cmocka_unit_test(both_layouts_are_found_by_type_region_and_interface),
        cmocka_unit_test(requests_say_what_the_settings_say),
        cmocka_unit_test(times_come_in_both_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
