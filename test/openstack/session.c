/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session cloud [NAME [REGION]]                   : the cloud as it is read, as JSON
 * session look NAME [CACHE]                       : what its token says
 * session call NAME CACHE SERVICE METHOD URL [BODY]   : {"status", "body", "headers"}
 * Ends with the status of the error, which is then printed as {"error", "hint"}. NAME "" is the default one,
 * CACHE "" none.
 */
#include "backends/openstack_identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *or_null(const char *s) { return s && *s ? s : NULL; }

static void print(json_t *value) {
    json_dumpf(value, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(value);
}

static int ended(const struct err *e) {
    if (err_is(e)) print(json_pack("{s:s, s:s}", "error", e->what, "hint", e->hint));
    return (int)e->code;
}

static json_t *cloud_json(const struct cloud *c) {
    return json_pack(
        "{s:s, s:s, s:s, s:i, s:i, s:i, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, "
        "s:s?, s:s?, s:s?, s:s?, s:s?, s:O}",
        "name", c->name, "auth_url", c->auth_url, "interface", c->interface, "version", c->identity_version,
        "auth", (int)c->auth, "scope", (int)c->scope, "username", c->username, "user_id", c->user_id,
        "password", c->password, "user_domain_id", c->user_domain_id, "user_domain_name", c->user_domain_name,
        "application_credential_id", c->credential_id, "application_credential_name", c->credential_name,
        "application_credential_secret", c->credential_secret, "project_id", c->project_id, "project_name",
        c->project_name, "project_domain_id", c->project_domain_id, "project_domain_name",
        c->project_domain_name, "domain_id", c->domain_id, "domain_name", c->domain_name, "region_name",
        c->region_name, "cacert", c->cacert, "endpoints", c->endpoints);
}

static void look(struct session *s, int64_t deadline, struct err *e) {
    struct session_facts f;
    if (session_look(s, deadline, &f, e) == 0)
        print(json_pack("{s:i, s:b, s:s?, s:s?, s:s?, s:O, s:O, s:s, s:I}", "version", f.version,
                        "from_cache", (int)f.from_cache, "project_id", f.project_id, "project_name",
                        f.project_name, "user_id", f.user_id, "roles", f.roles, "catalog", f.catalog,
                        "expires", instant_text(f.expires).s, "skew", (json_int_t)f.skew.s));
    session_facts_free(&f);
}

static void call(struct session *s, char **words, int64_t deadline, struct err *e) {
    struct http_request request = {.url = words[2], .deadline = deadline, .bytes = words[3]};
    struct http_answer answer;
    while (request.method < HTTP_DELETE && strcmp(http_method_word(request.method), words[1]) != 0)
        request.method++;
    if (words[3]) request.length = strlen(words[3]);
    request.content_type = "application/json";
    if (session_call(s, words[0], &request, &answer, e) == 0)
        print(json_pack("{s:i, s:o, s:O}", "status", answer.status, "body",
                        answer.json ? json_incref(answer.json) : json_string(answer.text), "headers",
                        answer.headers));
    http_answer_free(&answer);
}

static void run(const struct cloud *c, int n, char **words, struct err *e) {
    const int64_t deadline = clock_monotonic_ms() + 30000;
    struct http_client *http = http_open(&(struct http_settings){.cacert = c->cacert}, e);
    if (!http) return;
    struct identity *identity = identity_open(http, n > 3 ? or_null(words[3]) : NULL);
    struct session *s = session_open(identity, c, e);
    if (s && strcmp(words[1], "look") == 0) look(s, deadline, e);
    if (s && strcmp(words[1], "call") == 0 && n > 6) call(s, words + 4, deadline, e);
    session_close(s);
    identity_close(identity);
    http_close(http);
}

int main(int n, char **words) {
    struct err e = {0};
    if (n < 2) return 2;
    bool is_cloud = strcmp(words[1], "cloud") == 0;
    struct cloud *c =
        cloud_load(n > 2 ? or_null(words[2]) : NULL, n > 3 && is_cloud ? or_null(words[3]) : NULL, &e);
    if (!c) return ended(&e);
    if (is_cloud)
        print(cloud_json(c));
    else
        run(c, n, words, &e);
    cloud_free(c);
    return ended(&e);
}
