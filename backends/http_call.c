/* SPDX-License-Identifier: Apache-2.0 */
/* A call: tries until one counts, and what the last one says about the thing asked for. */
#include "alloc/clock.h"
#include "alloc/json.h"
#include "alloc/log.h"
#include "alloc/scope.h"
#include "backends/http_try.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *http_method_word(enum http_method m) {
    static const char *const words[] = {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"};
    return words[m];
}

/* What one try means. */
enum meaning {
    GOOD,
    REFUSED,   /* the server said no */
    NOT_DONE,  /* nothing happened; may be tried again */
    UNTRUSTED, /* nothing was sent, and another try would not help */
    MAYBE,     /* cut after it was sent, or 5xx */
    UNUSABLE,  /* done, but what it answered is of no use */
};

struct call {
    struct http_client *http;
    const struct http_request *request;
    struct http_answer *answer;
    struct http_try try; /* the last */
    char *body;          /* of request->json */
    bool maybe_done;     /* an earlier try may have done it */
    int64_t wait_ms;     /* that the server asked for; 0: none */
    struct text words;   /* why it failed */
};

static bool only_reads(const struct http_request *r) {
    return r->method == HTTP_GET || r->method == HTTP_HEAD;
}

/* ---- the request ---- */

static bool is_header(const struct http_header *h) {
    static const char token[] =
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    if (!*h->name || h->name[strspn(h->name, token)]) return false;
    for (const char *p = h->value; *p; p++)
        if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f) return false;
    return true;
}

/* The words never show what might be a password. */
static int check_url(const char *url, struct err *e) {
    CURLU *parts = curl_url();
    char *scheme = NULL, *user = NULL;
    int status = 0;
    CURLUcode wrong = curl_url_set(parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    if (wrong == CURLUE_OK) wrong = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
    bool has_user = wrong == CURLUE_OK && curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_OK;
    if (has_user)
        status = err_set(e, ERR_USAGE, "a URL must not hold a user or a password");
    else if (wrong != CURLUE_OK)
        status = err_set(e, ERR_USAGE, "\"%.200s\" is not a URL (%s)", url, curl_url_strerror(wrong));
    else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
        status = err_set(e, ERR_USAGE, "\"%.200s\" is neither an http nor an https URL", url);
    curl_free(scheme);
    curl_free(user);
    curl_url_cleanup(parts);
    return status;
}

static int check_request(const struct http_request *r, struct err *e) {
    if (check_url(r->url, e) < 0) return -1;
    for (size_t i = 0; i < r->n_headers; i++)
        if (!is_header(&r->headers[i]))
            return err_set(e, ERR_USAGE, "the header %.64s cannot be sent: a control character in it",
                           r->headers[i].name);
    return 0;
}

/* ---- what a try means ---- */

static bool has_answered(const struct http_try *t) {
    return t->status >= 200 && (t->code == CURLE_OK || t->status >= 400); /* a cut refusal is one still */
}

/* NHN answers 200 to what it refused; the body has the status. 400 where that is no HTTP status. */
static int nhn_status(const json_t *json, int status) {
    const json_t *header = json_object_get(json, "header");
    if (!json_is_false(json_object_get(header, "isSuccessful")) || status >= 400) return status;
    json_int_t code = json_integer_value(json_object_get(header, "resultCode"));
    return code >= 400 && code <= 599 ? (int)code : 400;
}

static enum meaning meaning_of_status(const struct call *c, int status) {
    switch (status) {
    case 300: return GOOD;
    case 404:
    case 410: return c->request->may_be_absent ? GOOD : REFUSED;
    case 408:
    case 429: return NOT_DONE;
    case 503: return http_answer_header(c->answer, "retry-after") ? NOT_DONE : MAYBE;
    case 501:
    case 505:
    case 507: return REFUSED;
    default: return status < 300 ? GOOD : status < 500 ? REFUSED : MAYBE;
    }
}

static bool is_json_type(const struct http_answer *a) {
    const char *type = http_answer_header(a, "content-type");
    return type && strcasestr(type, "json") && strcasestr(type, "json") < type + strcspn(type, ";");
}

/* The body of a good answer that says it is JSON, or must be. */
static int json_check(struct call *c, const struct err *parse) {
    struct http_answer *a = c->answer;
    if (a->json || a->status >= 400) return 0;
    if (a->length && (is_json_type(a) || c->request->needs_json)) {
        text_add(&c->words, "answered %d with what is not JSON (%.300s)", a->status, parse->what);
        return -1;
    }
    if (!c->request->needs_json) return 0;
    text_add(&c->words, "answered %d without the JSON that was asked for", a->status);
    return -1;
}

static void say_refusal(struct call *c) {
    const struct http_answer *a = c->answer;
    struct text reason = {0};
    http_reason(a->json, a->text, a->length, &reason);
    text_add(&c->words, "answered %d", a->status);
    if (a->status > 300 && a->status < 400) {
        const char *location = http_answer_header(a, "location");
        text_add(&c->words, ", a redirect%s%.200s (none is followed)", location ? " to " : "",
                 location ? location : "");
    }
    if (reason.length) text_add(&c->words, ": %s", reason.s);
    text_free(&reason);
}

static enum meaning meaning_of_answer(struct call *c) {
    struct http_answer *a = c->answer;
    struct err parse = {0};
    a->status = (int)c->try.status;
    a->headers = json_incref(c->try.headers);
    a->length = c->try.body.length;
    a->text = text_take(&c->try.body);
    if (a->length && (is_json_type(a) || c->request->needs_json || *a->text == '{'))
        a->json = json_load_text(a->text, a->length, "answer", &parse);
    a->status = nhn_status(a->json, a->status);
    enum meaning meaning = meaning_of_status(c, a->status);
    if (meaning == GOOD) return json_check(c, &parse) < 0 ? UNUSABLE : GOOD;
    say_refusal(c);
    (void)http_retry_after_ms(http_answer_header(a, "retry-after"), http_answer_header(a, "date"),
                              clock_now().s, &c->wait_ms);
    return meaning;
}

static bool is_untrusted(CURLcode code) {
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_CERTPROBLEM;
}

static enum meaning meaning_of_try(struct call *c) {
    const struct http_try *t = &c->try;
    if (has_answered(t)) return meaning_of_answer(c);
    if (t->body_full || t->headers_full) {
        if (t->headers_full)
            text_add(&c->words, "answered with too many headers");
        else
            text_add(&c->words, "answered with more than %zu bytes", t->most);
        return UNUSABLE;
    }
    if (is_untrusted(t->code) && !t->was_sent) {
        text_add(&c->words, "its certificate is not trusted: %s", t->words);
        return UNTRUSTED;
    }
    text_add(&c->words, "%s: %s", t->was_sent ? "cut off after it was sent" : "not reached", t->words);
    return t->was_sent ? MAYBE : NOT_DONE;
}

/* ---- tries ---- */

static void answer_clear(struct http_answer *a) {
    json_decref(a->json);
    json_decref(a->headers);
    free(a->text);
    *a = (struct http_answer){.tries = a->tries, .ms = a->ms};
}

static enum meaning try_once(struct call *c, int64_t left) {
    const struct http_request *r = c->request;
    const char *body = c->body ? c->body : r->bytes;
    answer_clear(c->answer);
    text_free(&c->words);
    c->wait_ms = 0;
    c->answer->tries++;
    http_try(c->http, r, body, c->body ? strlen(c->body) : r->length, left < HTTP_TRY_MS ? left : HTTP_TRY_MS,
             &c->try);
    enum meaning meaning = meaning_of_try(c);
    c->maybe_done |= meaning == MAYBE && !only_reads(r);
    http_try_free(&c->try);
    return meaning;
}

/* Waits and says true if there is to be another try. */
static bool goes_on(struct call *c, enum meaning meaning) {
    if (meaning != NOT_DONE && (meaning != MAYBE || !http_is_repeatable(c->request))) return false;
    if (c->answer->tries >= HTTP_TRIES_MOST) return false;
    int64_t ms = http_backoff_ms(c->answer->tries, http_random(c->http));
    if (ms < c->wait_ms) ms = c->wait_ms;
    if (clock_monotonic_ms() + ms >= c->request->deadline) {
        if (c->wait_ms == ms)
            text_add(&c->words, " (asks to wait %lld s, longer than the deadline allows)",
                     (long long)(ms + 999) / 1000);
        return false;
    }
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000};
    while (nanosleep(&t, &t) < 0) continue;
    return true;
}

/* ---- the end ---- */

static void hide(char *words, const char *secret) {
    static const char removed[] = "[removed]";
    size_t n = secret ? strlen(secret) : 0;
    if (n < 4) return; /* not worth hiding, and it would make nonsense of the words */
    for (char *at = words; (at = strstr(at, secret)); at++) {
        size_t shown = n < sizeof removed - 1 ? n : sizeof removed - 1;
        memcpy(at, removed, shown);
        memmove(at + shown, at + n, strlen(at + n) + 1);
    }
}

/* As it is and as JSON writes it. */
static void hide_both(char *words, const char *secret) {
    scoped_json json_t *value = secret ? json_string(secret) : NULL;
    scoped_free char *quoted = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
    hide(words, secret);
    if (!quoted) return;
    quoted[strlen(quoted) - 1] = '\0';
    hide(words, quoted + 1);
}

static void hide_secrets(const struct http_request *r, char *words) {
    for (size_t i = 0; i < r->n_headers; i++) {
        if (!r->headers[i].is_secret) continue;
        const char *blank = strrchr(r->headers[i].value, ' '); /* "Bearer TOKEN" */
        hide_both(words, r->headers[i].value);
        if (blank) hide_both(words, blank + 1);
    }
    hide_both(words, r->secret);
}

static enum err_code code_of(const struct call *c, enum meaning meaning) {
    if (only_reads(c->request)) return meaning == REFUSED || meaning == UNUSABLE ? ERR_FAILED : ERR_RETRY;
    if (meaning == MAYBE || meaning == UNUSABLE || c->maybe_done) return ERR_UNKNOWN;
    return meaning == REFUSED ? ERR_FAILED : ERR_RETRY;
}

static int fail(struct call *c, enum meaning meaning, struct err *e) {
    const struct http_request *r = c->request;
    struct err made = {0};
    char tries[32] = "";
    if (c->answer->tries > 1) (void)text_format(tries, sizeof tries, " (%d tries)", c->answer->tries);
    err_set(&made, code_of(c, meaning), "%s %.300s: %s%s", http_method_word(r->method), r->url,
            c->words.s ? c->words.s : "no answer", tries);
    hide_secrets(r, made.what);
    err_set(e, made.code, "%s", made.what);
    if (meaning == UNTRUSTED) err_hint(e, "name the file of the authority that signed it as cacert");
    return -1;
}

static void log_call(const struct call *c, const struct err *e) {
    if (!log_wants(LOG_AT_DEBUG)) return;
    const struct http_answer *a = c->answer;
    log_event(LOG_AT_DEBUG, "http.call",
              json_pack("{s:s, s:s, s:i, s:i, s:I, s:s?}", "method", http_method_word(c->request->method),
                        "url", c->request->url, "status", a->status, "tries", a->tries, "ms",
                        (json_int_t)a->ms, "error", err_is(e) ? e->what : NULL));
}

int http_call(struct http_client *http, const struct http_request *request, struct http_answer *answer,
              struct err *e) {
    struct call c = {.http = http, .request = request, .answer = answer};
    enum meaning meaning = NOT_DONE;
    *answer = (struct http_answer){0};
    if (check_request(request, e) < 0) return -1;
    const int64_t began = clock_monotonic_ms();
    c.body = request->json ? json_dumps(request->json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    do {
        const int64_t left = request->deadline - clock_monotonic_ms();
        if (left <= 0) {
            if (!c.words.length) text_add(&c.words, "the deadline passed before it could be sent");
            break;
        }
        meaning = try_once(&c, left);
    } while (goes_on(&c, meaning));
    answer->ms = clock_monotonic_ms() - began;
    int status = meaning == GOOD ? 0 : fail(&c, meaning, e);
    log_call(&c, status < 0 ? e : &(struct err){0});
    text_free(&c.words);
    free(c.body);
    return status;
}

void http_answer_free(struct http_answer *answer) {
    answer_clear(answer);
    *answer = (struct http_answer){0};
}

const char *http_answer_header(const struct http_answer *answer, const char *name) {
    return json_string_value(json_object_get(answer->headers, name));
}
