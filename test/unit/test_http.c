/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/http.h"

#include "alloc/parallel.h"
#include "test/unit/scripted.h"

#include <time.h>

static struct http_client *http;

static int client_open(void **state) {
    struct err e = {0};
    (void)state;
    http = http_open(&(struct http_settings){.seed = 7}, &e);
    return http ? 0 : -1;
}

static int client_close(void **state) {
    (void)state;
    http_close(http);
    return 0;
}

struct outcome {
    struct http_answer answer;
    struct err e;
    int rc;
    char url[256];
};

/* One call; the answer stays until the next one. */
static struct outcome *call_with(struct http_client *client, const char *base, struct http_request request,
                                 const char *path, int64_t ms) {
    static struct outcome o;
    http_answer_free(&o.answer);
    o = (struct outcome){0};
    snprintf(o.url, sizeof o.url, "%s%s", base, path);
    request.url = o.url;
    request.deadline = clock_monotonic_ms() + ms;
    o.rc = http_call(client, &request, &o.answer, &o.e);
    assert_int_equal(o.rc, err_is(&o.e) ? -1 : 0);
    return &o;
}

static struct outcome *call(const struct scripted *s, struct http_request request, const char *path,
                            int64_t ms) {
    return call_with(http, s->url, request, path, ms);
}

static void expect_error(const struct outcome *o, enum err_code code, const char *part) {
    if (!strstr(o->e.what, part)) fail_msg("'%s' lacks '%s'", o->e.what, part);
    assert_int_equal(o->e.code, code);
}

static const struct http_request get = {.method = HTTP_GET};
static const struct http_request post = {.method = HTTP_POST, .bytes = "{}", .length = 2};

/* ---- what is sent and what comes ---- */

static void a_request_goes_out_as_it_was_given(void **state) {
    (void)state;
    struct scripted s = scripted_start(
        "{'expect': 'POST /v2/servers', 'headers': {'x-auth-token': 'tok-1234', 'content-type': "
        "'application/json',"
        " 'accept': 'application/json', 'x-empty': ''}, 'body': {'server': {'name': '광주'}},"
        " 'status': 202, 'json': {'server': {'id': 7}}, 'set': {'X-Request-Id': 'req-1', 'X-A': ' b '}}"
        "{'expect': 'PUT /c', 'headers': {'content-type': 'text/plain', 'content-length': '3'}, 'body': "
        "'abc',"
        " 'status': 201}"
        "{'expect': 'PUT /c', 'headers': {'content-type': null, 'content-length': '0'}, 'status': 202}"
        "{'expect': 'HEAD /c', 'status': 204, 'set': {'X-Bytes': '9'}}"
        "{'expect': 'PATCH /p', 'body': {}, 'status': 200}"
        "{'expect': 'DELETE /c', 'headers': {'content-length': null}, 'status': 204}",
        NULL, NULL);
    scoped_json json_t *body = json_pack("{s:{s:s}}", "server", "name", "광주");
    const struct http_header headers[] = {{"X-Auth-Token", "tok-1234", true}, {"X-Empty", "", false}};
    struct outcome *o =
        call(&s,
             (struct http_request){
                 .method = HTTP_POST, .json = body, .headers = headers, .n_headers = 2, .needs_json = true},
             "/v2/servers", 5000);
    assert_int_equal(o->rc, 0);
    assert_int_equal(o->answer.status, 202);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(o->answer.json, "server"), "id")), 7);
    assert_string_equal(http_answer_header(&o->answer, "x-request-id"), "req-1");
    assert_string_equal(http_answer_header(&o->answer, "x-a"), "b");
    assert_null(http_answer_header(&o->answer, "x-b"));
    assert_int_equal(o->answer.tries, 1);
    o = call(
        &s,
        (struct http_request){.method = HTTP_PUT, .bytes = "abc", .length = 3, .content_type = "text/plain"},
        "/c", 5000);
    assert_int_equal(o->answer.status, 201);
    assert_string_equal(o->answer.text, "");
    assert_int_equal(call(&s, (struct http_request){.method = HTTP_PUT}, "/c", 5000)->answer.status, 202);
    o = call(&s, (struct http_request){.method = HTTP_HEAD}, "/c", 5000);
    assert_string_equal(http_answer_header(&o->answer, "x-bytes"), "9");
    assert_int_equal(
        call(&s, (struct http_request){.method = HTTP_PATCH, .bytes = "{}", .length = 2}, "/p", 5000)->rc, 0);
    assert_int_equal(call(&s, (struct http_request){.method = HTTP_DELETE}, "/c", 5000)->answer.status, 204);
    scripted_stop(&s);
    scoped_json json_t *log = scripted_log(&s);
    for (size_t i = 0; i < json_array_size(log); i++) /* one connection, kept */
        assert_int_equal(json_integer_value(json_object_get(json_array_get(log, i), "connection")), 1);
}

static void an_absent_thing_is_an_answer_where_that_is_allowed(void **state) {
    (void)state;
    struct scripted s = scripted_start("{'expect': 'GET /gone', 'times': 2, 'status': 404, 'json': "
                                       "{'itemNotFound': {'code': 404, 'message': 'no x'}}}"
                                       "{'expect': 'DELETE /gone', 'status': 410}",
                                       NULL, NULL);
    struct outcome *o = call(&s, get, "/gone", 5000);
    expect_error(o, ERR_FAILED, "/gone: answered 404: no x");
    assert_int_equal(o->answer.status, 404);
    o = call(&s, (struct http_request){.method = HTTP_GET, .may_be_absent = true, .needs_json = true},
             "/gone", 5000);
    assert_int_equal(o->rc, 0);
    assert_int_equal(o->answer.status, 404);
    assert_int_equal(
        call(&s, (struct http_request){.method = HTTP_DELETE, .may_be_absent = true}, "/gone", 5000)->rc, 0);
    scripted_stop(&s);
}

static void versions_come_with_300_and_redirects_are_not_followed(void **state) {
    (void)state;
    struct scripted s = scripted_start(
        "{'expect': 'GET /', 'status': 300, 'json': {'versions': {}}}"
        "{'expect': 'GET /r', 'status': 302, 'set': {'Location': 'http://elsewhere.example/x'}}",
        NULL, NULL);
    assert_int_equal(call(&s, get, "/", 5000)->rc, 0);
    expect_error(call(&s, get, "/r", 5000), ERR_FAILED,
                 "answered 302, a redirect to http://elsewhere.example/x (none is followed)");
    scripted_stop(&s);
}

static void what_nhn_refuses_with_200_is_refused(void **state) {
    (void)state;
    struct scripted s = scripted_start("{'expect': 'POST /a', 'json': {'header': {'isSuccessful': false, "
                                       "'resultCode': 404, 'resultMessage': 'none'}}}"
                                       "{'expect': 'POST /b', 'json': {'header': {'isSuccessful': false, "
                                       "'resultCode': -8, 'resultMessage': 'ACL'}}}"
                                       "{'expect': 'POST /c', 'json': {'header': {'isSuccessful': true, "
                                       "'resultCode': 0, 'resultMessage': 'ok'}}}",
                                       NULL, NULL);
    struct outcome *o = call(&s, post, "/a", 5000);
    expect_error(o, ERR_FAILED, "answered 404: none, result code 404");
    assert_int_equal(o->answer.status, 404);
    expect_error(call(&s, post, "/b", 5000), ERR_FAILED, "answered 400: ACL, result code -8");
    assert_int_equal(call(&s, post, "/c", 5000)->rc, 0);
    scripted_stop(&s);
}

/* ---- what is asked again ---- */

static void what_only_reads_is_asked_again(void **state) {
    (void)state;
    struct scripted s = scripted_start("{'expect': 'GET /x', 'status': 503}"
                                       "{'expect': 'GET /x', 'cut': 'unanswered'}"
                                       "{'expect': 'GET /x', 'json': {'a': 'bcdefgh'}, 'cut': 5}"
                                       "{'expect': 'GET /x', 'status': 200, 'json': {}}",
                                       NULL, NULL);
    struct outcome *o = call(&s, get, "/x", 20000);
    assert_int_equal(o->rc, 0);
    assert_true(o->answer.tries >= 3); /* libcurl itself may ask again where a kept connection ended */
    scripted_stop(&s);
}

static void what_never_gets_well_is_given_up(void **state) {
    (void)state;
    struct scripted s =
        scripted_start("{'expect': '*', 'times': 0, 'status': 502, 'text': 'Bad Gateway'}", NULL, NULL);
    struct outcome *o = call(&s, get, "/x", 1500); /* by the deadline */
    expect_error(o, ERR_RETRY, "/x: answered 502: Bad Gateway (");
    assert_in_range(o->answer.tries, 2, 4);
    assert_true(o->answer.ms < 1500);
    o = call(&s, (struct http_request){.method = HTTP_DELETE}, "/x", 700);
    expect_error(o, ERR_UNKNOWN, "answered 502");
    o = call(&s, post, "/x", 3000);
    expect_error(o, ERR_UNKNOWN, "answered 502");
    assert_int_equal(o->answer.tries, 1);
    scripted_stop(&s);
    o = call_with(http, "http://127.0.0.1:9", get, "/", 1200);
    expect_error(o, ERR_RETRY, "not reached");
    assert_true(o->answer.tries > 1);
    assert_int_equal(o->answer.status, 0);
    expect_error(call_with(http, "http://127.0.0.1:9", post, "/", 300), ERR_RETRY, "not reached");
    expect_error(call_with(http, "http://no-such-host.invalid", get, "/", 300), ERR_RETRY, "not reached");
}

static void a_post_is_repeated_only_where_nothing_happened(void **state) {
    (void)state;
    struct scripted s = scripted_start("{'expect': 'POST /busy', 'status': 429}"
                                       "{'expect': 'POST /busy', 'status': 503, 'set': {'Retry-After': '1'}}"
                                       "{'expect': 'POST /busy', 'status': 202}"
                                       "{'expect': 'POST /503', 'status': 503}"
                                       "{'expect': 'POST /cut', 'cut': 'unanswered'}"
                                       "{'expect': 'POST /half', 'json': {'server': {'id': 1}}, 'cut': 6}"
                                       "{'expect': 'POST /token', 'times': 2, 'status': 500}"
                                       "{'expect': 'POST /token', 'status': 200}",
                                       NULL, NULL);
    struct outcome *o = call(&s, post, "/busy", 20000);
    assert_int_equal(o->rc, 0);
    assert_int_equal(o->answer.tries, 3);
    assert_true(o->answer.ms >= 1000);
    expect_error(call(&s, post, "/503", 5000), ERR_UNKNOWN, "answered 503");
    o = call(&s, post, "/cut", 5000);
    expect_error(o, ERR_UNKNOWN, "cut off after it was sent");
    assert_int_equal(o->answer.tries, 1);
    expect_error(call(&s, post, "/half", 5000), ERR_UNKNOWN, "cut off");
    struct http_request repeatable = post;
    repeatable.is_repeatable = true;
    assert_int_equal(call(&s, repeatable, "/token", 20000)->answer.tries, 3);
    scripted_stop(&s); /* nothing came twice: the script would have been left without a step */
}

/* libcurl by itself would send it again on a new connection. */
static void a_post_is_never_sent_twice_over_a_kept_connection(void **state) {
    (void)state;
    struct scripted s =
        scripted_start("{'expect': 'GET /warm'} {'expect': 'POST /create', 'cut': 'unanswered'}"
                       "{'expect': 'GET /warm'} {'expect': 'POST /empty', 'cut': 'unanswered'}"
                       "{'expect': 'GET /warm'} {'expect': 'GET /read', 'cut': 'unanswered'}"
                       "{'expect': 'GET /read'}",
                       NULL, NULL);
    assert_int_equal(call(&s, get, "/warm", 5000)->rc, 0);
    expect_error(call(&s, post, "/create", 5000), ERR_UNKNOWN, "cut off after it was sent");
    assert_int_equal(call(&s, get, "/warm", 5000)->rc, 0);
    expect_error(call(&s, (struct http_request){.method = HTTP_POST}, "/empty", 5000), ERR_UNKNOWN,
                 "cut off");
    assert_int_equal(call(&s, get, "/warm", 5000)->rc, 0);
    assert_int_equal(call(&s, get, "/read", 5000)->rc, 0);
    scripted_stop(&s);
    scoped_json json_t *log = scripted_log(&s); /* the first create did go over a connection that was kept */
    assert_int_equal(json_integer_value(json_object_get(json_array_get(log, 1), "connection")), 1);
}

static void a_refusal_after_a_cut_try_is_unknown(void **state) {
    (void)state;
    struct scripted s = scripted_start("{'expect': 'PUT /x', 'cut': 'unanswered', 'times': 1, 'delay': 0}"
                                       "{'expect': 'PUT /x', 'status': 409}"
                                       "{'expect': 'PUT /y', 'status': 409}",
                                       NULL, NULL);
    expect_error(call(&s, (struct http_request){.method = HTTP_PUT}, "/x", 5000), ERR_UNKNOWN,
                 "answered 409");
    expect_error(call(&s, (struct http_request){.method = HTTP_PUT}, "/y", 5000), ERR_FAILED, "answered 409");
    scripted_stop(&s);
}

static void retry_after_is_obeyed_within_the_deadline(void **state) {
    (void)state;
    struct scripted s =
        scripted_start("{'expect': 'GET /soon', 'status': 429, 'set': {'Retry-After': '1'}}"
                       "{'expect': 'GET /soon'}"
                       "{'expect': 'GET /late', 'status': 429, 'set': {'Retry-After': '3600'}}"
                       "{'expect': 'GET /dated', 'status': 503, 'set': {"
                       "'Retry-After': 'Thu, 01 Jan 2099 00:00:00 GMT'}}",
                       NULL, NULL);
    struct outcome *o = call(&s, get, "/soon", 20000);
    assert_int_equal(o->rc, 0);
    assert_in_range(o->answer.ms, 1000, 3000);
    o = call(&s, get, "/late", 20000);
    expect_error(o, ERR_RETRY, "answered 429 (asks to wait 3600 s, longer than the deadline allows)");
    assert_true(o->answer.ms < 1000);
    expect_error(call(&s, get, "/dated", 20000), ERR_RETRY, "asks to wait 86400 s");
    scripted_stop(&s);
}

static void a_late_answer_ends_at_the_deadline(void **state) {
    (void)state;
    struct scripted s = scripted_start("{'expect': '*', 'delay': 3, 'times': 0}", NULL, NULL);
    struct outcome *o = call(&s, get, "/x", 500);
    expect_error(o, ERR_RETRY, "timed out");
    assert_in_range(o->answer.ms, 450, 1500);
    expect_error(call(&s, post, "/x", 500), ERR_UNKNOWN, "timed out");
    expect_error(call(&s, get, "/x", -1), ERR_RETRY, "the deadline passed before it could be sent");
    assert_int_equal(o->answer.tries, 0);
    scripted_stop(&s);
}

/* ---- wrong answers ---- */

static void answers_of_no_use_are_errors(void **state) {
    (void)state;
    struct scripted s = scripted_start(
        "{'expect': 'GET /cut', 'text': '{\\\"a\\\": [1,', 'set': {'Content-Type': 'application/json; "
        "charset=utf-8'}}"
        "{'expect': 'POST /cut', 'text': '{\\\"a\\\": [1,', 'set': {'Content-Type': 'application/json'}}"
        "{'expect': 'GET /html', 'text': '<html>hi</html>'}"
        "{'expect': 'GET /empty'}"
        "{'expect': 'GET /large', 'size': 1001} {'expect': 'GET /fits', 'size': 1000}"
        "{'expect': 'PUT /large', 'size': 1001}"
        "{'expect': 'GET /noise', 'raw': 'what?', 'times': 0}",
        NULL, NULL);
    const struct http_request json = {.method = HTTP_GET, .needs_json = true};
    const struct http_request small = {.method = HTTP_GET, .answer_most = 1000};
    expect_error(call(&s, get, "/cut", 5000), ERR_FAILED, "answered 200 with what is not JSON (answer:1:9: ");
    expect_error(call(&s, post, "/cut", 5000), ERR_UNKNOWN, "what is not JSON");
    expect_error(call(&s, json, "/html", 5000), ERR_FAILED, "what is not JSON");
    expect_error(call(&s, json, "/empty", 5000), ERR_FAILED, "answered 200 without the JSON");
    struct outcome *o = call(&s, small, "/large", 5000);
    expect_error(o, ERR_FAILED, "answered with more than 1000 bytes");
    assert_int_equal(o->answer.tries, 1);
    o = call(&s, small, "/fits", 5000);
    assert_int_equal(o->answer.length, 1000);
    expect_error(call(&s, (struct http_request){.method = HTTP_PUT, .answer_most = 1000}, "/large", 5000),
                 ERR_UNKNOWN, "more than 1000 bytes");
    expect_error(call(&s, get, "/noise", 600), ERR_RETRY, "cut off after it was sent");
    scripted_stop(&s);
}

static void headers_without_end_are_refused(void **state) {
    (void)state;
    struct text script = {0};
    text_add(&script, "{'expect': 'GET /x', 'set': {");
    for (int i = 0; i < 70; i++) text_add(&script, "'X-%d': '%01000d', ", i, i);
    text_add(&script, "'X': 'y'}}");
    struct scripted s = scripted_start(script.s, NULL, NULL);
    expect_error(call(&s, get, "/x", 5000), ERR_FAILED, "answered with too many headers");
    scripted_stop(&s);
    text_free(&script);
}

static void requests_that_cannot_be_are_refused(void **state) {
    (void)state;
    const struct http_header broken[] = {{"X-A", "b\r\nX-Evil: 1", false}};
    const struct http_header unnamed[] = {{"X A", "b", false}};
    struct http_request r = {.method = HTTP_GET, .headers = broken, .n_headers = 1};
    expect_error(call_with(http, "http://127.0.0.1:9", r, "/", 500), ERR_USAGE, "control character");
    r.headers = unnamed;
    expect_error(call_with(http, "http://127.0.0.1:9", r, "/", 500), ERR_USAGE, "cannot be sent");
    struct outcome *o = call_with(http, "http://kim:sesame@127.0.0.1:9", get, "/", 500);
    expect_error(o, ERR_USAGE, "must not hold a user or a password");
    assert_null(strstr(o->e.what, "sesame"));
    expect_error(call_with(http, "file:///etc/passwd", get, "", 500), ERR_USAGE,
                 "neither an http nor an https");
    expect_error(call_with(http, "ftp://127.0.0.1", get, "/", 500), ERR_USAGE,
                 "neither an http nor an https");
    expect_error(call_with(http, "", get, "", 500), ERR_USAGE, "is not a URL");
    expect_error(call_with(http, "http://[::1", get, "/", 500), ERR_USAGE, "is not a URL");
    expect_error(call_with(http, "http://a b/", get, "", 500), ERR_USAGE, "is not a URL");
}

static void secrets_do_not_come_back_in_words(void **state) {
    (void)state;
    struct scripted s = scripted_start(
        "{'expect': '*', 'status': 400, 'text': 'token gAAAA-1234 of se\\\"same, again gAAAA-1234'}"
        "{'expect': '*', 'status': 400, 'json': {'error': {'message': 'se\\\"same is wrong', 'code': 400}}}"
        "{'expect': '*', 'status': 400, 'text': 'bad token b-5678'}",
        NULL, NULL);
    const struct http_header token[] = {{"X-Auth-Token", "gAAAA-1234", true}};
    const struct http_request r = {
        .method = HTTP_GET, .headers = token, .n_headers = 1, .secret = "se\"same"};
    expect_error(call(&s, r, "/", 5000), ERR_FAILED, "token [removed] of [remove, again [removed]");
    expect_error(call(&s, r, "/", 5000), ERR_FAILED, "400: [remove is wrong");
    const struct http_header bearer[] = {{"Authorization", "Bearer b-5678", true}};
    const struct http_request other = {.method = HTTP_GET, .headers = bearer, .n_headers = 1};
    expect_error(call(&s, other, "/", 5000), ERR_FAILED, "bad token [remov");
    scripted_stop(&s);
}

/* ---- TLS ---- */

static char certificates[256];

static int certificates_make(void **state) {
    char command[400];
    (void)state;
    scripted_path(certificates, sizeof certificates, "certificates");
    snprintf(command, sizeof command, "test/lab/certificates %s >/dev/null 2>&1", certificates);
    return system(command) == 0 ? 0 : -1; /* NOLINT: a path of our own */
}

static void expect_tls(const char *certificate, const char *authority, const char *words) {
    struct err e = {0};
    char cacert[300];
    struct scripted s =
        scripted_start("{'expect': '*', 'times': 0, 'text': 'well'}", certificates, certificate);
    snprintf(cacert, sizeof cacert, "%s/%s", certificates, authority ? authority : "");
    struct http_client *client =
        http_open(&(struct http_settings){.cacert = authority ? cacert : NULL, .seed = 3}, &e);
    assert_non_null(client);
    struct outcome *o = call_with(client, s.url, post, "/", 5000);
    if (words) {
        expect_error(o, ERR_RETRY, words);
        assert_true(strstr(o->e.what, "certificate is not trusted") != NULL);
        assert_string_equal(o->e.hint, "name the file of the authority that signed it as cacert");
        assert_int_equal(o->answer.tries, 1);
    } else {
        assert_string_equal(o->answer.text, "well");
    }
    http_close(client);
    scripted_stop(&s);
}

static void only_a_certificate_that_fits_is_trusted(void **state) {
    (void)state;
    expect_tls("good", "ca.pem", NULL);
    expect_tls("good", NULL, "unable to get local issuer");
    expect_tls("expired", "ca.pem", "expired");
    expect_tls("future", "ca.pem", "not yet valid");
    expect_tls("wrong-name", "ca.pem", "127.0.0.1");
    expect_tls("self-signed", "ca.pem", "self-signed");
    expect_tls("old", "old-ca.pem", "expired");
}

static void a_file_of_authorities_is_looked_at_first(void **state) {
    (void)state;
    struct err e = {0};
    assert_null(http_open(&(struct http_settings){.cacert = "/no/such/ca.pem"}, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    err_clear(&e);
    assert_null(http_open(&(struct http_settings){.cacert = "Makefile"}, &e));
    assert_non_null(strstr(e.what, "Makefile holds no certificate in PEM"));
    err_clear(&e);
    assert_null(http_open(&(struct http_settings){.cacert = "test"}, &e));
    assert_int_equal(e.code, ERR_USAGE);
}

/* ---- many at once ---- */

struct many {
    const char *url;
    int good;
};

static void one_of_many(void *arg, size_t i) {
    struct many *m = arg;
    struct http_answer answer;
    struct err e = {0};
    const struct http_request r = {
        .method = i % 2 ? HTTP_POST : HTTP_GET, .url = m->url, .deadline = clock_monotonic_ms() + 30000};
    if (http_call(http, &r, &answer, &e) == 0 && answer.length == 1)
        __atomic_fetch_add(&m->good, 1, __ATOMIC_RELAXED);
    http_answer_free(&answer);
}

static void many_are_in_flight_over_few_connections(void **state) {
    (void)state;
    struct scripted s =
        scripted_start("{'expect': '*', 'times': 200, 'text': 'x', 'delay': 0.1}", NULL, NULL);
    struct many m = {.url = s.url};
    int64_t began = clock_monotonic_ms();
    parallel_each(20, 200, one_of_many, &m);
    int64_t ms = clock_monotonic_ms() - began;
    assert_int_equal(m.good, 200);
    assert_true(ms < 200 * 100 / 4); /* one after the other would take 20 s */
    scripted_stop(&s);
    scoped_json json_t *log = scripted_log(&s);
    json_int_t most = 0, number;
    for (size_t i = 0; i < json_array_size(log); i++)
        if ((number = json_integer_value(json_object_get(json_array_get(log, i), "connection"))) > most)
            most = number;
    assert_true(most < 200); /* the empty POSTs take new ones */
}

static void a_proxy_of_the_environment_is_not_for_loopback(void **state) {
    (void)state;
    struct scripted s = scripted_start("{'expect': 'GET /x'}", NULL, NULL);
    setenv("http_proxy", "http://127.0.0.1:9", 1);
    assert_int_equal(call(&s, get, "/x", 2000)->rc, 0);
    expect_error(call_with(http, "http://cloud.invalid", get, "/", 300), ERR_RETRY, "127.0.0.1 port 9");
    unsetenv("http_proxy");
    scripted_stop(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_goes_out_as_it_was_given),
        cmocka_unit_test(an_absent_thing_is_an_answer_where_that_is_allowed),
        cmocka_unit_test(versions_come_with_300_and_redirects_are_not_followed),
        cmocka_unit_test(what_nhn_refuses_with_200_is_refused),
        cmocka_unit_test(what_only_reads_is_asked_again),
        cmocka_unit_test(what_never_gets_well_is_given_up),
        cmocka_unit_test(a_post_is_repeated_only_where_nothing_happened),
        cmocka_unit_test(a_post_is_never_sent_twice_over_a_kept_connection),
        cmocka_unit_test(a_refusal_after_a_cut_try_is_unknown),
        cmocka_unit_test(retry_after_is_obeyed_within_the_deadline),
        cmocka_unit_test(a_late_answer_ends_at_the_deadline),
        cmocka_unit_test(answers_of_no_use_are_errors),
        cmocka_unit_test(headers_without_end_are_refused),
        cmocka_unit_test(requests_that_cannot_be_are_refused),
        cmocka_unit_test(secrets_do_not_come_back_in_words),
        cmocka_unit_test_setup(only_a_certificate_that_fits_is_trusted, certificates_make),
        cmocka_unit_test(a_file_of_authorities_is_looked_at_first),
        cmocka_unit_test(many_are_in_flight_over_few_connections),
        cmocka_unit_test(a_proxy_of_the_environment_is_not_for_loopback),
    };
    return cmocka_run_group_tests(tests, client_open, client_close);
}
