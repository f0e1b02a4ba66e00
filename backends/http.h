/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP for backends: many requests in flight over kept connections, and plain sequential code above it.
 * One client owns one thread with libcurl's loop; http_call() hands it a request and blocks its caller
 * until the answer is there. Callers are ordinary threads (alloc/parallel.h). All functions may be
 * called by many threads at once, but http_open() and http_close().
 *
 *     struct http_request request = {.method = HTTP_GET, .url = url, .headers = headers, .n_headers = 1};
 *     struct http_answer answer;
 *     if (http_call(http, &request, &answer, e) < 0) ... ; use answer.json; http_answer_free(&answer);
 *
 * What an error of http_call() says about the thing that was asked for:
 *
 * ERR_RETRY: nothing happened. Not reached, its certificate not trusted, cut before anything was sent, too
 * busy (429), or a request that only reads.
 *
 * ERR_UNKNOWN: it may have happened. Cut after it was sent, 5xx, or done with an answer that cannot be read.
 *
 * ERR_FAILED: the server refused it, in its own words (4xx); or what it answered to a reading request is of
 * no use (wrong JSON, more bytes than asked for).
 *
 * ERR_USAGE: the request itself is wrong: no http(s) URL, a line break in a header.
 *
 * Repeated, with back-off and jitter, until the deadline or HTTP_TRIES_MOST: GET, HEAD, PUT, DELETE and what
 * is marked repeatable, when cut or answered with 429, 500, 502, 503, 504. Anything else only where it is
 * certain that nothing happened: not sent, 429, or 503 with Retry-After. Retry-After is obeyed; one that
 * passes the deadline ends the call at once. An earlier try that was cut makes a later refusal ERR_UNKNOWN.
 *
 * TLS (1.2 or later) is always verified, against the system's authorities or one private file; nothing turns
 * it off. Redirects are not followed: a token must not travel to where somebody else points. Loopback
 * addresses never go through a proxy of the environment. Values that are marked secret are removed from all
 * words; a log line (debug: "http.call") has method, URL, status, tries and time, never headers or bodies.
 */
#pragma once
#include "alloc/err.h"
#include "alloc/text.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct http_client;

enum {
    HTTP_ANSWER_MOST = 16 << 20, /* bytes of a body, unless the request says otherwise */
    HTTP_HEADERS_MOST = 64 << 10,
    HTTP_TRIES_MOST = 6,
    HTTP_CONNECT_MS = 10000,
    HTTP_TRY_MS = 90000, /* one try: NHN's object store holds a write back for up to 60 s before its 429 */
};

struct http_settings {
    const char *cacert;      /* PEM file of the only authorities to trust; NULL: the system's */
    size_t connections_most; /* at once, over all hosts; 0: 64 */
    uint64_t seed;           /* of the jitter, so that a test can repeat a run; 0: a random one */
};

/* NULL on failure: a cacert that is not there or holds no certificate. The strings need not outlive the call.
 */
struct http_client *http_open(const struct http_settings *settings, struct err *e);
/* No call may be in flight. NULL is fine. */
void http_close(struct http_client *http);

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_PATCH, HTTP_DELETE };
const char *http_method_word(enum http_method m); /* "GET" */

struct http_header {
    const char *name, *value;
    bool is_secret; /* a token: its value never shows */
};

/* All of it is borrowed. Zero is the default everywhere. */
struct http_request {
    enum http_method method;
    const char *url; /* http or https, without user and password in it */
    const struct http_header *headers;
    size_t n_headers;
    const json_t *json; /* the body as JSON; or */
    const char *bytes;  /* the body as it is, with its type */
    size_t length;
    const char *content_type; /* of bytes */
    const char *secret;       /* a password in the body: never shows */
    bool is_repeatable;       /* a POST or PATCH that may be sent twice (a token, an action that sets) */
    bool may_be_absent;       /* 404 and 410 are good answers: 0, and answer.status tells */
    bool needs_json;          /* a good answer without a JSON body is an error */
    int64_t deadline;   /* clock_monotonic_ms() by which the call ends, tries and waits included; demanded */
    size_t answer_most; /* bytes of the body; 0: HTTP_ANSWER_MOST */
};

struct http_answer {
    int status;      /* of the last try; 0: no answer came. NHN's header.resultCode stands for it where
                        isSuccessful is false */
    json_t *json;    /* the body if it is JSON; NULL when empty or of another type */
    char *text;      /* the body as it came, terminated; "" when empty; NULL: no answer came */
    size_t length;   /* of text */
    json_t *headers; /* lower-case name -> value; repeated ones joined by ", " */
    int tries;
    int64_t ms; /* the whole call */
};

/* 0: answered with 2xx (or 300, which lists versions; or absent where that is allowed). -1: see above; the
   answer holds what came. Free the answer in both cases. */
int http_call(struct http_client *http, const struct http_request *request, struct http_answer *answer,
              struct err *e);
void http_answer_free(struct http_answer *answer);
/* A header of the answer, name in lower case; NULL: not there. Borrowed. */
const char *http_answer_header(const struct http_answer *answer, const char *name);

/* ---- pure parts (http_reason.c, http_retry.c) ---- */

/*
 * What a cloud says about a failure, on one printable line of at most HTTP_REASON_MOST bytes: Keystone's
 * {"error":{message}}, Nova's and Cinder's {"<fault>":{code,message}},
 * {"NeutronError":{type,message,detail}}, NHN's
 * {"header":{resultCode,resultMessage}}, Placement's {"errors":[{title,detail}]}; else its text without tags.
 * json may be NULL. Nothing is added when there is nothing to say.
 */
enum { HTTP_REASON_MOST = 400 };
void http_reason(const json_t *json, const char *body, size_t length, struct text *out);

/* Milliseconds to wait before try number `tries` + 1: 0.25 s doubled each time up to 15 s, of which a random
   part of the upper half is taken off. */
int64_t http_backoff_ms(int tries, uint64_t random);
/* Retry-After: seconds or an HTTP date (RFC 9110, 10.2.3), which is compared with the answer's own Date if
   there is one. False: not there or not understood. At most a day. */
bool http_retry_after_ms(const char *value, const char *date, int64_t now_s, int64_t *ms);
/* An HTTP date in the one form that is sent today: "Sun, 06 Nov 1994 08:49:37 GMT". */
bool http_date_parse(const char *text, int64_t *s);
