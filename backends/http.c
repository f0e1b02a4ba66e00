/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: one thread drives all transfers; callers wait for theirs. */
#include "alloc/file.h"
#include "alloc/hash.h"
#include "alloc/scope.h"
#include "backends/http_try.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct flight {
    CURL *easy;
    CURLcode code;
    bool has_landed;
    pthread_cond_t landed;
    struct flight *next;
};

struct http_client {
    CURLM *multi;
    pthread_t thread;
    pthread_mutex_t lock;   /* what follows, and has_landed of every flight */
    struct flight *waiting; /* handed over, not yet in the loop */
    bool is_closing;
    uint64_t random;
    char *cacert;
};

/* ---- the loop ---- */

static void land(struct http_client *http, struct flight *f, CURLcode code) {
    curl_multi_remove_handle(http->multi, f->easy);
    pthread_mutex_lock(&http->lock);
    f->code = code;
    f->has_landed = true;
    pthread_cond_signal(&f->landed);
    pthread_mutex_unlock(&http->lock);
}

static struct flight *flight_of(CURL *easy) {
    char *private = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    return (struct flight *)(void *)private;
}

static void *loop(void *arg) {
    struct http_client *http = arg;
    for (bool closing = false; !closing;) {
        int left;
        curl_multi_poll(http->multi, NULL, 0, 1000, NULL);
        pthread_mutex_lock(&http->lock);
        struct flight *f = http->waiting, *next;
        http->waiting = NULL;
        closing = http->is_closing;
        pthread_mutex_unlock(&http->lock);
        for (; f; f = next) {
            next = f->next; /* once it has landed it is gone */
            if (curl_multi_add_handle(http->multi, f->easy) != CURLM_OK) land(http, f, CURLE_FAILED_INIT);
        }
        curl_multi_perform(http->multi, &left);
        for (CURLMsg *m; (m = curl_multi_info_read(http->multi, &left));)
            if (m->msg == CURLMSG_DONE) land(http, flight_of(m->easy_handle), m->data.result);
    }
    return NULL;
}

static CURLcode fly(struct http_client *http, CURL *easy) {
    struct flight f = {.easy = easy, .landed = PTHREAD_COND_INITIALIZER};
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &f);
    pthread_mutex_lock(&http->lock);
    f.next = http->waiting;
    http->waiting = &f;
    curl_multi_wakeup(http->multi);
    while (!f.has_landed) pthread_cond_wait(&f.landed, &http->lock);
    pthread_mutex_unlock(&http->lock);
    pthread_cond_destroy(&f.landed);
    return f.code;
}

/* ---- the client ---- */

static void library_open(void) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) abort();
}

/* Whether the authorities can be read: else every call would say so, each in its own way. */
static int cacert_check(const char *path, struct err *e) {
    scoped_text struct text pem = {0};
    if (file_read(path, 4 << 20, &pem, e) < 0) return err_context(e, "the authorities to trust");
    if (strstr(pem.s, "-----BEGIN CERTIFICATE-----") || strstr(pem.s, "-----BEGIN TRUSTED CERTIFICATE-----"))
        return 0;
    return err_set(e, ERR_USAGE, "the authorities to trust: %s holds no certificate in PEM", path);
}

/* The loop takes no signals: they are for the threads that know what to do. A broken connection is an error
 * code. */
static int thread_open(struct http_client *http) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&http->thread, NULL, loop, http);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

struct http_client *http_open(const struct http_settings *settings, struct err *e) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (settings->cacert && cacert_check(settings->cacert, e) < 0) return NULL;
    pthread_once(&once, library_open);
    struct http_client *http = mem_alloc(sizeof *http);
    long most = settings->connections_most ? (long)settings->connections_most : 64;
    http->cacert = mem_copy(settings->cacert);
    http->random = settings->seed;
    while (http->random == 0) {
        char hex[17];
        hash_random_hex(hex, sizeof hex);
        http->random = strtoull(hex, NULL, 16);
    }
    pthread_mutex_init(&http->lock, NULL);
    http->multi = curl_multi_init();
    if (!http->multi) abort();
    curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, most);
    if (thread_open(http) == 0) return http;
    curl_multi_cleanup(http->multi);
    pthread_mutex_destroy(&http->lock);
    free(http->cacert);
    free(http);
    err_set(e, ERR_RETRY, "no thread can be started for HTTP");
    return NULL;
}

void http_close(struct http_client *http) {
    if (!http) return;
    pthread_mutex_lock(&http->lock);
    http->is_closing = true;
    pthread_mutex_unlock(&http->lock);
    curl_multi_wakeup(http->multi);
    pthread_join(http->thread, NULL);
    curl_multi_cleanup(http->multi);
    pthread_mutex_destroy(&http->lock);
    free(http->cacert);
    free(http);
}

/* xorshift64*: good enough to spread waits, and it can be repeated. */
uint64_t http_random(struct http_client *http) {
    pthread_mutex_lock(&http->lock);
    uint64_t x = http->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    http->random = x;
    pthread_mutex_unlock(&http->lock);
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

/* ---- one try ---- */

static size_t take_body(char *bytes, size_t size, size_t n, void *arg) {
    struct http_try *t = arg;
    (void)size; /* always 1 */
    t->body_full |= n > t->most - t->body.length;
    if (t->body_full) return 0;
    text_put(&t->body, bytes, n);
    return n;
}

static void header_put(struct http_try *t, const char *name, size_t n_name, const char *value,
                       size_t n_value) {
    scoped_text struct text key = {0};
    text_put(&key, name, n_name);
    for (char *p = key.s; *p; p++) *p = (char)tolower((unsigned char)*p);
    const json_t *before = json_object_get(t->headers, key.s);
    if (before)
        json_object_set_new(t->headers, key.s,
                            json_sprintf("%s, %.*s", json_string_value(before), (int)n_value, value));
    else
        json_object_set_new(t->headers, key.s, json_stringn(value, n_value));
}

static size_t take_header(char *line, size_t size, size_t n, void *arg) {
    struct http_try *t = arg;
    (void)size;
    t->headers_full |= n > HTTP_HEADERS_MOST - t->headers_length;
    if (t->headers_full) return 0;
    t->headers_length += n;
    if (n > 5 && memcmp(line, "HTTP/", 5) == 0) json_object_clear(t->headers); /* what came before was 1xx */
    const char *colon = memchr(line, ':', n);
    if (!colon) return n;
    const char *value = colon + 1, *end = line + n;
    while (value < end && isspace((unsigned char)*value)) value++;
    while (end > value && isspace((unsigned char)end[-1])) end--;
    header_put(t, line, (size_t)(colon - line), value, (size_t)(end - value));
    return n;
}

static size_t give_body(char *to, size_t size, size_t n, void *arg) {
    struct http_try *t = arg;
    size_t most = size * n, give = t->n_unsent < most ? t->n_unsent : most;
    memcpy(to, t->unsent, give);
    t->unsent += give;
    t->n_unsent -= give;
    return give;
}

/* libcurl sends a request once more by itself when a kept connection turns out to be dead. Where part of the
   body has gone out and it must not be sent twice, it is told here that there is no way back. */
static int refuse_rewind(void *arg, curl_off_t offset, int origin) {
    (void)arg, (void)offset, (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

bool http_is_repeatable(const struct http_request *request) {
    return request->is_repeatable || (request->method != HTTP_POST && request->method != HTTP_PATCH);
}

static void set_method(CURL *easy, const struct http_request *request, const char *body, size_t length,
                       struct http_try *t) {
    const bool has_body = body || request->method == HTTP_POST || request->method == HTTP_PUT;
    if (request->method == HTTP_HEAD) curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (has_body) curl_easy_setopt(easy, CURLOPT_POST, 1L);
    if (request->method != HTTP_HEAD)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, http_method_word(request->method));
    if (!has_body) return;
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    if (http_is_repeatable(request) || length == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body ? body : "");
        if (!http_is_repeatable(request)) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        return;
    }
    t->unsent = body;
    t->n_unsent = length;
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, t);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, refuse_rewind);
    /* younger than what Apache (5 s) and others drop, so that this is rarely needed */
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 3L);
}

static struct curl_slist *header_list(const struct http_request *request, bool has_body) {
    struct curl_slist *list = NULL;
    bool accepts = false, typed = false;
    scoped_text struct text line = {0};
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct http_header *h = &request->headers[i];
        accepts |= strcasecmp(h->name, "Accept") == 0;
        typed |= strcasecmp(h->name, "Content-Type") == 0;
        text_free(&line);
        text_add(&line, *h->value ? "%s: %s" : "%s;", h->name,
                 h->value); /* "Name;" is libcurl's empty value */
        list = curl_slist_append(list, line.s);
    }
    const char *type = !has_body ? NULL : request->json ? "application/json" : request->content_type;
    text_free(&line);
    text_add(&line, "Content-Type:%s%s", type ? " " : "", type ? type : "");
    if (!typed) list = curl_slist_append(list, line.s);
    if (!accepts) list = curl_slist_append(list, "Accept: application/json");
    return curl_slist_append(list, "Expect:");
}

/* localhost, 127.0.0.0/8, ::1 */
static bool is_loopback(const char *url) {
    CURLU *parts = curl_url();
    char *host = NULL;
    bool is =
        parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        (strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0);
    curl_free(host);
    curl_url_cleanup(parts);
    return is;
}

static void set_transport(CURL *easy, const struct http_client *http, const char *url, int64_t ms) {
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "allot/" ALLOT_VERSION);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(ms < HTTP_CONNECT_MS ? ms : HTTP_CONNECT_MS));
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    if (http->cacert) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, http->cacert);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (is_loopback(url)) curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

void http_try(struct http_client *http, const struct http_request *request, const char *body, size_t length,
              int64_t ms, struct http_try *t) {
    long sent = 0;
    CURL *easy = curl_easy_init();
    if (!easy) abort();
    *t = (struct http_try){.headers = json_object(),
                           .most = request->answer_most ? request->answer_most : HTTP_ANSWER_MOST};
    struct curl_slist *headers = header_list(request, body != NULL);
    set_transport(easy, http, request->url, ms);
    set_method(easy, request, body, length, t);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->words);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    t->code = fly(http, easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &t->status);
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
    t->was_sent = sent > 0;
    if (t->code != CURLE_OK && !t->words[0])
        (void)text_format(t->words, sizeof t->words, "%s", curl_easy_strerror(t->code));
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
}

void http_try_free(struct http_try *t) {
    text_free(&t->body);
    json_decref(t->headers);
    *t = (struct http_try){0};
}
