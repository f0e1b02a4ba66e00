/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The accounts of others at the object store. Reached with the administrator's own token at another path
 * (".../AUTH_PROJECT"), which the role ResellerAdmin allows. The limit has two names: Swift of 2023 and
 * later knows X-Account-Quota-Bytes, all know X-Account-Meta-Quota-Bytes; older ones accept the former and
 * forget it (Swift 2.30: 204, and nothing stands there), so both are sent and what stands is read.
 */
#include "backends/openstack_quota.h"

#include "alloc/scope.h"
#include "alloc/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Our own account's URL with the project's id in place of ours. */
static char *account_url(struct session *admin, const char *project, int64_t until, struct err *e) {
    scoped_free char *own = session_endpoint(admin, "object-store", until, e);
    if (!own) return NULL;
    char *last = strrchr(own, '/'), *id = last ? strrchr(last, '_') : NULL;
    if (!id) {
        err_set(e, ERR_FAILED, "the object store's endpoint %s ends with no account like AUTH_ID", own);
        return NULL;
    }
    struct text url = {0};
    text_add(&url, "%.*s%s", (int)(id + 1 - own), own, project);
    return text_take(&url);
}

int account_open(struct run *run, const struct cloud *cloud, struct session *admin, const char *project,
                 struct account *out, struct err *e) {
    *out = (struct account){0};
    scoped_free char *url = account_url(admin, project, run->until, e);
    if (!url) return -1;
    out->cloud = cloud_with_endpoint(cloud, "object-store", url);
    out->session = session_open(run->identity, out->cloud, e);
    if (out->session) return 0;
    account_close(out);
    return -1;
}

void account_close(struct account *a) {
    if (a->session) session_close(a->session);
    if (a->cloud) cloud_free(a->cloud);
    *a = (struct account){0};
}

static int64_t header_number(const struct http_answer *answer, const char *name, bool *is_there) {
    const char *value = http_answer_header(answer, name);
    long long n = 0;
    *is_there = value && text_to_int(value, 0, INT64_MAX, &n) == 0;
    return n;
}

int account_read(struct run *run, struct account *a, struct account_state *out, struct err *e) {
    struct http_request request = {
        .method = HTTP_HEAD, .url = "", .may_be_absent = true, .deadline = run->until};
    struct http_answer answer = {0};
    *out = (struct account_state){0};
    int rc = session_call(a->session, "object-store", &request, &answer, e);
    if (rc == 0) {
        bool is_told;
        out->exists = answer.status != 404;
        out->bytes = header_number(&answer, "x-account-bytes-used", &is_told);
        out->containers = header_number(&answer, "x-account-container-count", &is_told);
        out->quota = header_number(&answer, "x-account-quota-bytes", &out->has_quota);
        if (!out->has_quota)
            out->quota = header_number(&answer, "x-account-meta-quota-bytes", &out->has_quota);
    }
    http_answer_free(&answer);
    return rc;
}

int account_limit(struct run *run, struct account *a, int64_t limit, int *status, struct err *e) {
    char value[24];
    snprintf(value, sizeof value, "%lld", (long long)limit);
    const struct http_header headers[] = {{.name = "X-Account-Quota-Bytes", .value = value},
                                          {.name = "X-Account-Meta-Quota-Bytes", .value = value}};
    struct http_request request = {.method = HTTP_POST,
                                   .url = "",
                                   .headers = headers,
                                   .n_headers = 2,
                                   .is_repeatable = true,
                                   .deadline = run->until};
    struct http_answer answer = {0};
    int rc = session_call(a->session, "object-store", &request, &answer, e);
    *status = answer.status;
    if (rc < 0 && answer.status == 403)
        err_hint(
            e, "the limit of an account is set with the role ResellerAdmin; or settings.object_store: none");
    http_answer_free(&answer);
    return rc;
}
