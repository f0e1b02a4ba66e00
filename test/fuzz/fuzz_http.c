/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a cloud answers and as what describes a cloud: printable bounded words, or a struct that
 * is whole. */
#include "alloc/json.h"
#include "alloc/yaml.h"
#include "backends/openstack_catalog.h"
#include "backends/openstack_identity_token.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool is_so) {
    if (!is_so) abort();
}

static void reason(const json_t *json, const char *text, size_t length) {
    struct text words = {0};
    http_reason(json, text, length, &words);
    demand(words.length <= HTTP_REASON_MOST + 32 && text_is_printable(words.s ? words.s : ""));
    text_free(&words);
}

static void times(const char *text) {
    struct err e = {0};
    instant_t t;
    int64_t ms = 0, s = 0;
    if (http_date_parse(text, &s)) demand(s >= 0 && s <= INSTANT_MOST);
    if (http_retry_after_ms(text, text, 1800000000, &ms)) demand(ms >= 0 && ms <= 86400 * INT64_C(1000));
    demand((token_time_parse(text, &t, &e) == 0) != err_is(&e));
}

static void catalog(const json_t *rows) {
    static const char *const types[] = {"compute", "block-storage", "object-store", "nasv1"};
    for (size_t i = 0; i < 4; i++) {
        struct err e = {0};
        const char *url = catalog_find(rows, types[i], i % 2 ? "KR1" : NULL, "public", &e);
        demand((url != NULL) != err_is(&e));
    }
}

static void tokens(const json_t *json, const char *text, size_t length) {
    static const struct cloud cloud = {.name = "x", .auth_url = "http://h", .scope = CLOUD_PROJECT};
    struct token t = {0};
    for (int version = 2; version <= 3; version++) {
        struct err e = {0};
        bool is_good = token_read(&cloud, version, json, "id", NULL, instant(1800000000), &t, &e) == 0;
        demand(is_good != err_is(&e));
        if (!is_good) continue;
        demand(t.id && token_is_good(&t, instant(t.expires.s - 3600)));
        catalog(t.catalog);
        token_free(&t);
    }
    if (token_parse(text, length, &t)) {
        demand(t.id && *t.id);
        catalog(t.catalog);
        token_free(&t);
    }
}

static void entry(const json_t *value, const char *source) {
    struct err e = {0};
    struct cloud *c = cloud_from(value, source, "x", NULL, &e);
    demand((c != NULL) != err_is(&e));
    if (!c) return;
    demand(c->auth_url && c->interface && (c->password || c->credential_secret));
    for (int version = 2; version <= 3; version++) {
        json_t *request = token_can_ask(c, version) ? token_request(c, version) : json_null();
        demand(request != NULL);
        json_decref(request);
    }
    struct cloud *other = cloud_for_project(c, "p");
    demand(strcmp(token_key(c).hex, token_key(other).hex) != 0 ||
           (c->project_id && strcmp(c->project_id, "p") == 0));
    cloud_free(c);
    cloud_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    struct err e = {0}, e2 = {0};
    scoped_free char *text = mem_alloc(length + 1);
    if (length) memcpy(text, bytes, length);
    scoped_json json_t *json = json_load_text(text, length, "answer", &e);
    reason(json, text, length);
    reason(NULL, text, length);
    times(text);
    tokens(json, text, length);
    scoped_json json_t *yaml = yaml_load_text(text, length, "clouds.yaml", NULL, &e2);
    if (yaml) entry(yaml, "clouds.yaml");
    if (yaml) entry(yaml, CLOUD_ENVIRONMENT);
    return 0;
}
