/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside http: one try of a request, as libcurl saw it. The loop and its thread are in http.c; what a try
 * means, and whether there is another, in http_call.c.
 */
#pragma once
#include "backends/http.h"

#include <curl/curl.h>

struct http_try {
    CURLcode code;
    long status;                  /* 0: no status line came */
    bool was_sent;                /* at least one byte of the request went out */
    bool body_full, headers_full; /* given up: more than the limits allow */
    size_t headers_length, most;
    struct text body;
    json_t *headers;
    char words[CURL_ERROR_SIZE]; /* libcurl's own on a failure */
    /* the body that is sent, read once */
    const char *unsent;
    size_t n_unsent;
};

/* Blocks for at most ms. body: what is sent, NULL for none. Free *out afterwards in every case. */
void http_try(struct http_client *http, const struct http_request *request, const char *body, size_t length,
              int64_t ms, struct http_try *out);
void http_try_free(struct http_try *t);
uint64_t http_random(struct http_client *http);
/* May this request be sent again although it may have been done? */
bool http_is_repeatable(const struct http_request *request);
