/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NHN's meters for partners: POST /v1/billing/partners/{partner}/meters/search, page after page, with the
 * framework's own token, which has nothing to do with the tokens of projects (NHN's API guides "Framework"
 * and "Partner", 2026). Nobody but a partner (MSP) has them. Written by those guides; never tried on a live
 * account.
 */
#include "backends/openstack_usage.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { PAGE_MOST = 2000, PAGES_MOST = 10000 };

int partner_settings_read(const struct settings *s, struct partner_settings *out, bool *is_there,
                          struct err *e) {
    static const char *const keys[] = {"id", "cloud", "counters", NULL};
    struct json_at at = {0};
    *out = (struct partner_settings){0};
    *is_there = false;
    if (!json_has(&s->at, "partner")) return 0;
    if (json_need_object(&s->at, "partner", &at, e) < 0 || json_only(&at, keys, e) < 0 ||
        json_need_text(&at, "id", 64, &out->id, e) < 0 ||
        json_need_text(&at, "cloud", 255, &out->cloud, e) < 0 ||
        json_may_array(&at, "counters", 1000, &out->counters, e) < 0)
        return -1;
    for (size_t i = 0; i < json_length(&out->counters); i++) {
        struct json_at one = json_item(&out->counters, i);
        const char *name;
        if (json_as_text(&one, 255, &name, e) < 0) return -1;
    }
    *is_there = true;
    return 0;
}

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/* ---- the token ---- */

/* "Basic " and base64 of "id:secret". The caller frees it. */
static char *basic(const struct cloud *cloud) {
    struct text plain = {0}, out = {0};
    text_add(&plain, "%s:%s", cloud->credential_id, cloud->credential_secret);
    unsigned char *coded = mem_alloc(plain.length * 2 + 8);
    EVP_EncodeBlock(coded, (const unsigned char *)plain.s, (int)plain.length);
    text_add(&out, "Basic %s", (char *)coded);
    OPENSSL_cleanse(coded, strlen((char *)coded));
    OPENSSL_cleanse(plain.s, plain.length);
    scope_free(&coded);
    text_free(&plain);
    return text_take(&out);
}

static int token_get(struct run *run, const struct cloud *cloud, char **token, struct err *e) {
    if (!cloud->credential_id || !cloud->credential_secret) {
        err_set(e, ERR_USAGE, "cloud %s has no application credential", cloud->name);
        return err_hint(
            e, "a User Access Key of NHN: its id as application_credential_id, its secret beside it");
    }
    scoped_free char *authorization = basic(cloud);
    struct text url scoped_text = {0};
    text_add(&url, "%s/oauth2/token/create", cloud->auth_url);
    const struct http_header header = {.name = "Authorization", .value = authorization, .is_secret = true};
    static const char body[] = "grant_type=client_credentials";
    struct http_request request = {.method = HTTP_POST,
                                   .url = url.s,
                                   .headers = &header,
                                   .n_headers = 1,
                                   .bytes = body,
                                   .length = sizeof body - 1,
                                   .content_type = "application/x-www-form-urlencoded",
                                   .is_repeatable = true,
                                   .needs_json = true,
                                   .deadline = run->until};
    struct http_answer answer = {0};
    int rc = http_call(run->http, &request, &answer, e);
    const char *got = rc == 0 ? text_of(answer.json, "access_token") : NULL;
    if (rc == 0 && !got) rc = err_set(e, ERR_RETRY, "%s gave no access_token", url.s);
    if (got) *token = mem_copy(got);
    http_answer_free(&answer);
    return rc;
}

/* ---- meters ---- */

/* A number as it was written, a text as it is. */
static char *value_text(const json_t *value) {
    if (json_is_string(value)) return mem_copy(json_string_value(value));
    char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    char *copy = mem_copy(dumped ? dumped : "");
    scope_free(&dumped);
    return copy;
}

static void meter_take(const json_t *row, struct backend_usage *out) {
    struct text id = {0};
    const char *project = text_of(row, "projectId"), *resource = text_of(row, "resourceId");
    text_add(&id, "%s%s%s", project ? project : "", resource ? "/" : "", resource ? resource : "");
    const char *counter = text_of(row, "counterName"), *unit = text_of(row, "counterUnit");
    usage_add_meter(out, (struct backend_meter){.host = mem_copy(""),
                                                .source = mem_copy("partner"),
                                                .name = mem_copy(counter ? counter : ""),
                                                .unit = mem_copy(unit ? unit : ""),
                                                .id = text_take(&id),
                                                .value = value_text(json_object_get(row, "counterVolume"))});
}

static json_t *question(const struct partner_settings *s, instant_t since, instant_t until) {
    json_t *counters = s->counters.value ? json_incref((json_t *)s->counters.value) : json_array();
    return json_pack("{s:s, s:s, s:[], s:o, s:s}", "from", instant_text(since).s, "to", instant_text(until).s,
                     "appKeys", "counterNames", counters, "meterTimeTypeCode", "USED_TIME");
}

/* 1: there are more pages. The header judges, not the status alone. */
static int page_take(const json_t *answer, struct backend_usage *out, struct err *e) {
    const json_t *header = json_object_get(answer, "header"), *list = json_object_get(answer, "meterList"),
                 *row;
    size_t i;
    if (!json_is_true(json_object_get(header, "isSuccessful")))
        return err_set(e, ERR_RETRY, "NHN's meters: %lld %s",
                       (long long)json_integer_value(json_object_get(header, "resultCode")),
                       text_of(header, "resultMessage") ? text_of(header, "resultMessage") : "");
    if (!json_is_array(list)) return err_set(e, ERR_RETRY, "NHN's meters: the answer has no meterList");
    json_array_foreach(list, i, row) meter_take(row, out);
    return json_array_size(list) >= PAGE_MOST;
}

static int page_get(struct run *run, const struct cloud *cloud, const struct partner_settings *s,
                    const char *token, const json_t *body, int page, struct backend_usage *out,
                    struct err *e) {
    const char *core = json_string_value(json_object_get(cloud->endpoints, "core"));
    struct text url scoped_text = {0}, bearer scoped_text = {0};
    text_add(&url, "%s/v1/billing/partners/%s/meters/search?page=%d&limit=%d",
             core ? core : "https://core.api.nhncloudservice.com", s->id, page, (int)PAGE_MOST);
    text_add(&bearer, "Bearer %s", token);
    const struct http_header header = {.name = "x-nhn-authorization", .value = bearer.s, .is_secret = true};
    struct http_request request = {.method = HTTP_POST,
                                   .url = url.s,
                                   .headers = &header,
                                   .n_headers = 1,
                                   .json = body,
                                   .is_repeatable = true,
                                   .needs_json = true,
                                   .deadline = run->until};
    struct http_answer answer = {0};
    int rc = http_call(run->http, &request, &answer, e);
    if (rc == 0) rc = page_take(answer.json, out, e);
    http_answer_free(&answer);
    return rc;
}

int partner_sample(struct run *run, const struct partner_settings *settings, instant_t since, instant_t until,
                   struct backend_usage *out, struct err *e) {
    scoped_free char *token = NULL;
    struct cloud *cloud = cloud_load(settings->cloud, NULL, e);
    if (!cloud) return -1;
    scoped_json json_t *body = question(settings, since, until);
    int rc = token_get(run, cloud, &token, e);
    for (int page = 1; rc == 0 && page <= PAGES_MOST; page++) {
        rc = page_get(run, cloud, settings, token, body, page, out, e);
        if (rc == 0) break;
        if (rc == 1) rc = page < PAGES_MOST ? 0 : err_set(e, ERR_RETRY, "NHN's meters have no end");
    }
    cloud_free(cloud);
    return rc;
}
