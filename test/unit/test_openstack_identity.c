/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/openstack_identity.h"
#include "backends/openstack_identity_token.h"

#include "alloc/json.h"
#include "alloc/log.h"
#include "alloc/parallel.h"
#include "test/unit/scripted.h"

#include <sys/stat.h>
#include <time.h>

/* A day from now as the two versions write it, and texts of the scripts. */
static char soon[40], later[40], date_ahead[40];

#define V2_TOKEN(id, expires)                                                                                \
    "'json': {'access': {'token': {'id': '" id "', 'expires': '" expires                                     \
    "', 'tenant': {'id': 'p1', 'name': 'c_1'}},"                                                             \
    " 'user': {'id': 'u1', 'roles': [{'name': 'project_admin'}]}, 'serviceCatalog': ["                       \
    " {'type': 'compute', 'endpoints': [{'region': 'KR3', 'publicURL': '@URL@/compute/v2/p1/'}]},"           \
    " {'type': 'nasv1', 'endpoints': [{'region': 'KR3', 'publicURL': '@URL@/nas'}]}]}}"
#define V3_BODY(expires)                                                                                     \
    "'json': {'token': {'expires_at': '" expires "', 'project': {'id': 'p1', 'name': 'pilot'},"              \
    " 'user': {'id': 'u1'}, 'roles': [{'name': 'member'}, {'name': 'reader'}], 'catalog': ["                 \
    " {'type': 'compute', 'endpoints': [{'region_id': 'KR3', 'interface': 'public', 'url': "                 \
    "'@URL@/compute'}]}]}}"
#define V3_TOKEN(id, expires) "'status': 201, 'set': {'X-Subject-Token': '" id "'}, " V3_BODY(expires)
#define REFUSED               "'status': 401, 'json': {'error': {'code': 401, 'message': 'Could not find user'}}"

struct world {
    struct scripted server;
    struct http_client *http;
    struct identity *identity;
    struct cloud *cloud;
    struct session *session;
};

/* script holds @SOON@ and @LATER@ for times. */
static struct scripted served(const char *script) {
    struct text filled = {0};
    static const struct {
        const char *word;
        const char *value;
    } words[] = {{"@SOON@", soon}, {"@LATER@", later}, {"@AHEAD@", date_ahead}};
    for (const char *p = script; *p;) {
        size_t i = 0;
        while (i < 3 && strncmp(p, words[i].word, strlen(words[i].word)) != 0) i++;
        text_add(&filled, i < 3 ? "%s" : "%.1s", i < 3 ? words[i].value : p);
        p += i < 3 ? strlen(words[i].word) : 1;
    }
    struct scripted s = scripted_start(filled.s, NULL, NULL);
    text_free(&filled);
    return s;
}

static void run_open(struct world *w, const char *path, json_t *settings, const char *cache) {
    struct err e = {0};
    struct text url = {0};
    scoped_json json_t *entry = json_pack("{s:{s:s}, s:s}", "auth", "project_id", "p1", "region_name", "KR3");
    scoped_json json_t *over = settings;
    text_add(&url, "%s%s", w->server.url, path);
    json_object_set_new(entry, "auth_url", json_string(url.s));
    json_object_update_recursive(entry, over);
    w->http = http_open(&(struct http_settings){.seed = 5}, &e);
    assert_non_null(w->http);
    w->identity = identity_open(w->http, cache);
    w->cloud = cloud_from(entry, "clouds.yaml", "nhn", NULL, &e);
    if (!w->cloud) fail_msg("%s", e.what);
    w->session = session_open(w->identity, w->cloud, &e);
    if (!w->session) fail_msg("%s", e.what);
    text_free(&url);
}

static void run_close(struct world *w) {
    session_close(w->session);
    identity_close(w->identity);
    cloud_free(w->cloud);
    http_close(w->http);
}

static json_t *password(void) {
    return json_pack("{s:{s:s, s:s}}", "auth", "username", "kim", "password", "open-sesame");
}

static int64_t deadline(void) { return clock_monotonic_ms() + 10000; }

static int get(struct world *w, const char *service, const char *path, int *status, struct err *e) {
    struct http_answer answer;
    const struct http_request request = {.method = HTTP_GET, .url = path, .deadline = deadline()};
    *e = (struct err){0};
    int rc = session_call(w->session, service, &request, &answer, e);
    *status = answer.status;
    http_answer_free(&answer);
    return rc;
}

static void get_good(struct world *w, const char *service, const char *path) {
    struct err e;
    int status;
    if (get(w, service, path, &status, &e) < 0) fail_msg("%s", e.what);
}

static void expect(const struct err *e, enum err_code code, const char *words) {
    if (!strstr(e->what, words)) fail_msg("'%s' lacks '%s'", e->what, words);
    if (strstr(e->what, "sesame") || strstr(e->hint, "sesame")) fail_msg("'%s' tells the password", e->what);
    assert_int_equal(e->code, code);
}

static int times_make(void **state) {
    (void)state;
    time_t ahead = (time_t)clock_now().s + 23 * 3600;
    struct tm tm;
    snprintf(soon, sizeof soon, "%.19s.123456Z", instant_text(instant(clock_now().s + 86400)).s);
    snprintf(later, sizeof later, "%s", instant_text(instant(clock_now().s + 2 * 86400)).s);
    strftime(date_ahead, sizeof date_ahead, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&ahead, &tm));
    return 0;
}

/* ---- both versions ---- */

static void a_token_of_v2_opens_the_services(void **state) {
    (void)state;
    struct world w = {
        .server = served(
            "{'expect': 'POST /v2.0/tokens', 'body': {'auth': {'tenantId': 'p1', 'passwordCredentials': {"
            "'username': 'kim', 'password': 'open-sesame'}}}, " V2_TOKEN(
                "t2-1", "@SOON@") "}"
                                  "{'expect': 'GET /compute/v2/p1/servers?limit=2', 'headers': "
                                  "{'x-auth-token': 't2-1'}}"
                                  "{'expect': 'GET /compute/v2/p1', 'headers': {'x-auth-token': 't2-1'}}"
                                  "{'expect': 'GET /nas/v1/volumes', 'headers': {'x-auth-token': 't2-1'}}")};
    struct session_facts facts;
    struct err e = {0};
    run_open(&w, "/v2.0", password(), NULL);
    get_good(&w, "compute", "/servers?limit=2");
    get_good(&w, "compute", "");
    get_good(&w, "nasv1", "/v1/volumes");
    assert_int_equal(session_look(w.session, deadline(), &facts, &e), 0);
    assert_int_equal(facts.version, 2);
    assert_string_equal(facts.project_name, "c_1");
    assert_string_equal(facts.user_id, "u1");
    assert_string_equal(json_string_value(json_array_get(facts.roles, 0)), "project_admin");
    assert_false(facts.from_cache);
    session_facts_free(&facts);
    char *url = session_endpoint(w.session, "compute", deadline(), &e);
    assert_non_null(strstr(url, "/compute/v2/p1"));
    free(url);
    int status;
    assert_int_equal(get(&w, "compute", "http://elsewhere.example/", &status, &e), -1);
    expect(&e, ERR_USAGE, "does not begin with / or ?");
    assert_int_equal(get(&w, "compute", "@elsewhere.example/", &status, &e), -1);
    expect(&e, ERR_USAGE, "does not begin with / or ?");
    assert_int_equal(get(&w, "object-store", "/", &status, &e), -1);
    expect(&e, ERR_FAILED, "cloud nhn: the catalog has no service \"object-store\"");
    assert_string_equal(e.hint, "it has: compute, nasv1");
    run_close(&w);
    scripted_stop(&w.server);
}

static void a_token_of_v3_opens_them_too(void **state) {
    (void)state;
    struct world w = {
        .server = served(
            "{'expect': 'POST /identity/v3/auth/tokens', 'body': {'auth': {'identity': {'methods': ["
            "'application_credential'], 'application_credential': {'id': 'a', 'secret': "
            "'open-sesame'}}}}," V3_TOKEN(
                "t3-1", "@LATER@") "}"
                                   "{'expect': 'GET /compute/flavors', 'headers': {'x-auth-token': 't3-1'}}"
                                   "{'expect': 'GET /own/nas', 'headers': {'x-auth-token': 't3-1'}}")};
    char own[128];
    snprintf(own, sizeof own, "%s/own/", w.server.url);
    run_open(&w, "/identity",
             json_pack("{s:s, s:s, s:{s:s, s:s}}", "auth_type", "v3applicationcredential",
                       "nasv1_endpoint_override", own, "auth", "application_credential_id", "a",
                       "application_credential_secret", "open-sesame"),
             NULL);
    get_good(&w, "compute", "/flavors");
    get_good(&w, "nasv1", "/nas");
    run_close(&w);
    scripted_stop(&w.server);
}

static void the_newest_listed_version_is_taken_where_none_is_said(void **state) {
    (void)state;
    static const char both[] = "{'versions': {'values': [{'id': 'v3.14'}, {'id': 'v2.0'}]}}";
    static const char old[] = "{'versions': [{'id': 'v2.0', 'status': 'stable'}]}";
    for (int i = 0; i < 2; i++) {
        struct text script = {0};
        text_add(&script, "{'expect': 'GET /', 'status': 300, 'json': %s}", i ? old : both);
        text_add(&script, i ? "{'expect': 'POST /v2.0/tokens', " V2_TOKEN("t", "@SOON@") "}"
                            : "{'expect': 'POST /v3/auth/tokens', " V3_TOKEN("t", "@SOON@") "}");
        struct world w = {.server = served(script.s)};
        struct err e = {0};
        run_open(&w, "", password(), NULL);
        assert_int_equal(session_ready(w.session, deadline(), &e), 0);
        scoped_json json_t *versions =
            identity_versions(w.identity, w.cloud, deadline(), &e); /* not asked again */
        assert_int_equal(json_array_size(versions), i ? 1 : 2);
        run_close(&w);
        scripted_stop(&w.server);
        text_free(&script);
    }
}

/* As one account at NHN was: v2.0 refuses everything, v3 takes the user's id without a domain. */
static void the_other_version_is_tried_once_and_remembered(void **state) {
    (void)state;
    struct world w = {
        .server = served(
            "{'expect': 'POST /v2.0/tokens', " REFUSED "}"
            "{'expect': 'GET /', 'json': {'versions': {'values': [{'id': 'v3.14'}]}}}"
            "{'expect': 'POST /v3/auth/tokens', 'body': {'auth': {'identity': {'password': {'user': {"
            "'id': 'u1'}}}, 'scope': {'project': {'id': 'p1'}}}}, " V3_TOKEN(
                "t3-1",
                "@SOON@") "}"
                          "{'expect': 'GET /compute/a', 'status': 401}"
                          "{'expect': 'POST /v3/auth/tokens', " V3_TOKEN(
                              "t3-2",
                              "@SOON@") "}"
                                        "{'expect': 'GET /compute/a', 'headers': {'x-auth-token': 't3-2'}}")};
    run_open(&w, "/v2.0",
             json_pack("{s:i, s:{s:s, s:s}}", "identity_api_version", 2, "auth", "user_id", "u1", "password",
                       "open-sesame"),
             NULL);
    get_good(&w, "compute", "/a");
    run_close(&w);
    scripted_stop(&w.server);
}

static void a_wrong_password_is_told_in_the_clouds_words(void **state) {
    (void)state;
    struct err e = {0};
    int status;
    struct world w = {.server =
                          served("{'expect': 'POST /v3/auth/tokens', 'times': 2, " REFUSED "}"
                                 "{'expect': 'GET /', 'json': {'versions': {'values': [{'id': 'v3.14'}]}}}")};
    run_open(&w, "/v3", password(), NULL);
    assert_int_equal(session_ready(w.session, deadline(), &e), -1);
    expect(&e, ERR_FAILED, "/v3/auth/tokens: answered 401: Could not find user");
    assert_string_equal(e.hint, "check user, password and project");
    assert_int_equal(get(&w, "compute", "/", &status, &e), -1); /* says nothing about the thing */
    expect(&e, ERR_RETRY, "cloud nhn: POST ");
    run_close(&w);
    scripted_stop(&w.server);
    w = (struct world){
        .server = served("{'expect': 'POST /v2.0/tokens', " REFUSED "} {'expect': 'GET /', 'status': 404}"
                         "{'expect': 'POST /v3/auth/tokens', 'status': 404, 'text': '<p>Not Found</p>'}")};
    err_clear(&e);
    run_open(&w, "/v2.0", password(), NULL);
    assert_int_equal(session_ready(w.session, deadline(), &e), -1);
    expect(&e, ERR_FAILED, "/v2.0/tokens: answered 401: Could not find user; then: POST ");
    expect(&e, ERR_FAILED, "/v3/auth/tokens: answered 404: Not Found");
    run_close(&w);
    scripted_stop(&w.server);
}

/* ---- answers that are wrong ---- */

static void token_refused(const char *script, enum err_code code, const char *words) {
    struct err e = {0};
    struct world w = {.server = served(script)};
    run_open(&w, "/v3", password(), NULL);
    assert_int_equal(session_ready(w.session, clock_monotonic_ms() + 1500, &e), -1);
    expect(&e, code, words);
    run_close(&w);
    scripted_stop(&w.server);
}

static void a_token_that_is_none_is_an_error(void **state) {
    (void)state;
#define ASK "{'expect': 'POST /v3/auth/tokens', 'times': 0, "
    token_refused(ASK "'text': '{'}", ERR_RETRY, "is not JSON");
    token_refused(ASK "'json': []}", ERR_FAILED, "the answer holds no token");
    token_refused(ASK "'json': {'token': {}}}", ERR_FAILED, "the answer holds no token");
    token_refused(ASK "'set': {'X-Subject-Token': 'a b'}, 'json': {}}", ERR_FAILED,
                  "the answer holds no token");
    token_refused(ASK "'set': {'X-Subject-Token': 't'}, 'json': {'token': {}}}", ERR_FAILED,
                  "no time at which it ends");
    token_refused(ASK V3_TOKEN("t", "tomorrow") "}", ERR_FAILED, "no time at which it ends: \"tomorrow\"");
    token_refused(ASK V3_TOKEN("t", "2020-01-01T00:00:00.000000Z") "}", ERR_FAILED,
                  "the token ended before it came");
    token_refused(ASK "'set': {'X-Subject-Token': 't'}, 'json': {'token': {'expires_at': '@SOON@',"
                      " 'project': {'id': 'p2'}}}}",
                  ERR_FAILED, "the token is for the project p2, not for p1");
    token_refused(ASK "'status': 500}", ERR_RETRY, "answered 500");
    token_refused(ASK "'cut': 'unanswered'}", ERR_RETRY, "cut off after it was sent");
    token_refused(ASK "'delay': 2}", ERR_RETRY, "timed out");
    token_refused(ASK "'status': 400, 'text': 'open-sesame was wrong'}", ERR_FAILED, "400: [removed]");
}

static void settings_that_no_version_can_say_are_refused(void **state) {
    (void)state;
    struct err e = {0};
    scoped_json json_t *entry =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "auth_url", "http://h/v2.0", "username", "u", "password", "p",
                  "domain_id", "d", "auth_type", "v2password");
    struct cloud *c = cloud_from(entry, "clouds.yaml", "x", NULL, &e);
    assert_non_null(c);
    assert_null(session_open(NULL, c, &e));
    expect(&e, ERR_USAGE, "version 2.0 of the identity API knows neither domains");
    cloud_free(c);
}

/* ---- ends and clocks ---- */

static void a_token_is_renewed_once_when_a_service_refuses_it(void **state) {
    (void)state;
    struct err e = {0};
    int status;
    struct world w = {
        .server = served("{'expect': 'POST /v3/auth/tokens', " V3_TOKEN(
            "t1",
            "@SOON@") "}"
                      "{'expect': 'GET /compute/a', 'headers': {'x-auth-token': 't1'}, 'status': 401}"
                      "{'expect': 'POST /v3/auth/tokens', " V3_TOKEN(
                          "t2",
                          "@SOON@") "}"
                                    "{'expect': 'GET /compute/a', 'headers': {'x-auth-token': 't2'}}"
                                    "{'expect': 'GET /compute/b', 'headers': {'x-auth-token': 't2'}, " REFUSED
                                    "}"
                                    "{'expect': 'POST /v3/auth/tokens', " V3_TOKEN(
                                        "t3", "@SOON@") "}"
                                                        "{'expect': 'GET /compute/b', 'headers': "
                                                        "{'x-auth-token': 't3'}, " REFUSED "}")};
    run_open(&w, "/v3", password(), NULL);
    get_good(&w, "compute", "/a");
    assert_int_equal(get(&w, "compute", "/b", &status, &e), -1);
    expect(&e, ERR_RETRY, "a fresh token is refused too: GET ");
    assert_int_equal(status, 401);
    run_close(&w);
    scripted_stop(&w.server);
}

/* The token ends in a day, and the cloud's clock is 23 hours ahead: it has an hour, whatever ours says. */
static void the_end_is_counted_by_the_clouds_clock(void **state) {
    times_make(state); /* to the second */
    struct world w = {
        .server = served(
            "{'expect': 'POST /v3/auth/tokens', 'raw': 'HTTP/1.1 201 Created\\r\\nX-Subject-Token: t\\r\\n"
            "Date: @AHEAD@\\r\\nContent-Type: application/json\\r\\n\\r\\n"
            "{\\'token\\': {\\'expires_at\\': \\'@SOON@\\', \\'project\\': {\\'id\\': \\'p1\\'}}}'}")};
    struct session_facts facts;
    struct err e = {0};
    run_open(&w, "/v3", password(), NULL);
    assert_int_equal(session_look(w.session, deadline(), &facts, &e), 0);
    assert_in_range(facts.skew.s, 23 * 3600 - 10, 23 * 3600 + 10);
    assert_in_range(facts.expires.s - clock_now().s, 3600 - 20, 3600 + 20);
    session_facts_free(&facts);
    run_close(&w);
    scripted_stop(&w.server);
}

static void a_token_that_is_about_to_end_is_renewed_first(void **state) {
    (void)state;
    char near[40], script[4000];
    snprintf(near, sizeof near, "%s", instant_text(instant(clock_now().s + 30)).s);
    snprintf(
        script, sizeof script,
        "{'expect': 'POST /v3/auth/tokens', " V3_TOKEN(
            "t1",
            "%s") "}"
                  "{'expect': 'GET /compute/a', 'headers': {'x-auth-token': 't1'}}"
                  "{'expect': 'POST /v3/auth/tokens', " V3_TOKEN(
                      "t2",
                      "@SOON@") "}"
                                "{'expect': 'GET /compute/a', 'headers': {'x-auth-token': 't2'}, 'times': 2}",
        near);
    struct world w = {.server = served(script)};
    run_open(&w, "/v3", password(), NULL);
    for (int i = 0; i < 3; i++) get_good(&w, "compute", "/a");
    run_close(&w);
    scripted_stop(&w.server);
}

/* ---- the cache ---- */

static char cache[300], cached[400];

static int cache_make(void **state) {
    (void)state;
    scripted_path(cache, sizeof cache, "cache/tokens");
    *strrchr(cache, '/') = '\0'; /* two folders that are not there */
    strcat(cache, "/deep/tokens");
    return 0;
}

static void one_run(struct world *w, bool expect_cache) {
    struct session_facts facts;
    struct err e = {0};
    run_open(w, "/v3", password(), cache);
    if (session_look(w->session, deadline(), &facts, &e) < 0) fail_msg("%s", e.what);
    assert_int_equal(facts.from_cache, expect_cache);
    assert_string_equal(facts.project_id, "p1");
    assert_int_equal(json_array_size(facts.roles), 2);
    session_facts_free(&facts);
    snprintf(cached, sizeof cached, "%s/%s", cache, token_key(w->cloud).hex);
    run_close(w);
}

static void put(const char *path, const char *bytes, mode_t mode) {
    unlink(path);
    scripted_write(path, bytes);
    assert_int_equal(chmod(path, mode), 0);
}

static void a_token_is_kept_for_the_next_run(void **state) {
    (void)state;
    struct stat st;
    struct text bytes = {0};
    struct err e = {0};
    struct world w = {.server = served("{'expect': 'POST /v3/auth/tokens', 'times': 6, " V3_TOKEN(
                          "t1", "@SOON@") "}"
                                          "{'expect': 'GET /compute/a', 'headers': {'x-auth-token': 't1'}}")};
    one_run(&w, false);
    one_run(&w, true);
    assert_int_equal(stat(cached, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(cache, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(file_read(cached, 1 << 20, &bytes, &e), 0);
    assert_null(strstr(bytes.s, "sesame"));
    run_open(&w, "/v3", password(), cache);
    get_good(&w, "compute", "/a");
    run_close(&w);
    /* whatever is wrong with it counts as none, and is replaced */
    put(cached, "{'format': 1", 0600);
    one_run(&w, false);
    put(cached, bytes.s, 0644);
    one_run(&w, false);
    unlink(cached);
    assert_int_equal(symlink("/etc/passwd", cached), 0);
    one_run(&w, false);
    put(cached, "", 0600);
    one_run(&w, false);
    text_free(&bytes);
    unlink(cached);
    mkdir(cached, 0700); /* cannot be replaced: no error */
    one_run(&w, false);
    rmdir(cached);
    scripted_stop(&w.server);
}

static void a_cached_token_that_is_refused_is_replaced(void **state) {
    (void)state;
    struct world w = {
        .server = served("{'expect': 'POST /v3/auth/tokens', " V3_TOKEN(
            "t1", "@SOON@") "}"
                            "{'expect': 'GET /compute/a', 'headers': {'x-auth-token': 't1'}, 'status': 401}"
                            "{'expect': 'POST /v3/auth/tokens', " V3_TOKEN(
                                "t2", "@SOON@") "}"
                                                "{'expect': 'GET /compute/a', 'headers': {'x-auth-token': "
                                                "'t2'}, 'times': 2}")};
    one_run(&w, false);
    for (int i = 0; i < 2; i++) {
        run_open(&w, "/v3", password(), cache);
        get_good(&w, "compute", "/a");
        run_close(&w);
    }
    scripted_stop(&w.server);
}

static void what_is_no_token_in_a_cache_is_none(void **state) {
    (void)state;
    static const char good[] =
        "{\"format\":1,\"version\":3,\"expires\":1,\"skew\":-5,\"id\":\"t\",\"catalog\":[],"
        "\"roles\":[]}";
    static const char *const bad[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"format\":2,\"version\":3,\"expires\":1,\"skew\":0,\"id\":\"t\",\"catalog\":[],\"roles\":[]}",
        "{\"format\":1,\"version\":4,\"expires\":1,\"skew\":0,\"id\":\"t\",\"catalog\":[],\"roles\":[]}",
        "{\"format\":1,\"version\":3,\"expires\":-1,\"skew\":0,\"id\":\"t\",\"catalog\":[],\"roles\":[]}",
        "{\"format\":1,\"version\":3,\"expires\":1,\"skew\":0,\"id\":\"\",\"catalog\":[],\"roles\":[]}",
        "{\"format\":1,\"version\":3,\"expires\":1,\"skew\":0,\"id\":\"t\",\"catalog\":{},\"roles\":[]}",
        "{\"format\":1,\"version\":3,\"expires\":1,\"skew\":0,\"id\":\"t\\n\",\"catalog\":[],\"roles\":[]}"};
    struct token t = {0};
    assert_true(token_parse(good, strlen(good), &t));
    assert_string_equal(t.id, "t");
    token_free(&t);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(token_parse(bad[i], strlen(bad[i]), &t));
}

/* ---- many sessions ---- */

enum { SESSIONS = 40 };

struct crowd {
    struct session *of[SESSIONS];
    int good;
};

static void one_call(void *arg, size_t i) {
    struct crowd *crowd = arg;
    struct http_answer answer;
    struct err e = {0};
    const struct http_request request = {.method = HTTP_GET, .url = "/a", .deadline = deadline()};
    if (session_call(crowd->of[i % SESSIONS], "compute", &request, &answer, &e) == 0)
        __atomic_fetch_add(&crowd->good, 1, __ATOMIC_RELAXED);
    http_answer_free(&answer);
}

static void sessions_share_a_client_and_ask_once_each(void **state) {
    (void)state;
    struct crowd crowd = {0};
    struct cloud *clouds[SESSIONS];
    struct text script = {0};
    struct err e = {0};
    for (int i = 0; i < SESSIONS; i++)
        text_add(
            &script,
            "{'expect': 'POST /v3/auth/tokens', 'body': {'auth': {'scope': {'project': {'id': 'p%d'}}}}, "
            "'status': 201, 'set': {'X-Subject-Token': 't%d'}, 'json': {'token': {'expires_at': '@SOON@',"
            " 'project': {'id': 'p%d'}, 'catalog': [{'type': 'compute', 'endpoints': [{'region_id': 'KR3',"
            " 'interface': 'public', 'url': '@URL@/%d'}]}]}}}"
            "{'expect': 'GET /%d/a', 'headers': {'x-auth-token': 't%d'}, 'times': 5}",
            i, i, i, i, i, i);
    struct world w = {.server = served(script.s)};
    run_open(&w, "/v3", password(), cache);
    for (int i = 0; i < SESSIONS; i++) {
        char project[16];
        snprintf(project, sizeof project, "p%d", i);
        clouds[i] = cloud_for_project(w.cloud, project);
        crowd.of[i] = session_open(w.identity, clouds[i], &e);
    }
    parallel_each(16, SESSIONS * 5, one_call, &crowd);
    assert_int_equal(crowd.good, SESSIONS * 5);
    for (int i = 0; i < SESSIONS; i++) {
        session_close(crowd.of[i]);
        cloud_free(clouds[i]);
    }
    run_close(&w);
    scripted_stop(&w.server); /* one token each, though five asked for it at once */
    text_free(&script);
}

/* All that was logged at level debug during these tests: every call, and none of their secrets. */

static char debug_log[64];

static int suite_open(void **state) {
    struct err e = {0};
    scripted_path(debug_log, sizeof debug_log, "debug");
    times_make(state);
    return log_open(LOG_AT_DEBUG, debug_log, &e);
}

static void the_log_has_every_call_and_no_secret(void **state) {
    (void)state;
    static const char *const secrets[] = {"sesame", "t2-1",         "t3-1",
                                          "t3-2",   "X-Auth-Token", "passwordCredentials"};
    struct text lines = {0};
    struct err e = {0};
    assert_int_equal(file_read(debug_log, 64 << 20, &lines, &e), 0);
    assert_non_null(strstr(lines.s, "\"event\":\"http.call\""));
    assert_non_null(strstr(lines.s, "/v2.0/tokens\",\"status\":200,\"tries\":1,"));
    assert_non_null(strstr(lines.s, "\"event\":\"identity.version\""));
    assert_non_null(strstr(lines.s, "\"event\":\"identity.skew\""));
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (strstr(lines.s, secrets[i])) fail_msg("the log tells %s", secrets[i]);
    text_free(&lines);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_of_v2_opens_the_services),
        cmocka_unit_test(a_token_of_v3_opens_them_too),
        cmocka_unit_test(the_newest_listed_version_is_taken_where_none_is_said),
        cmocka_unit_test(the_other_version_is_tried_once_and_remembered),
        cmocka_unit_test(a_wrong_password_is_told_in_the_clouds_words),
        cmocka_unit_test(a_token_that_is_none_is_an_error),
        cmocka_unit_test(settings_that_no_version_can_say_are_refused),
        cmocka_unit_test(a_token_is_renewed_once_when_a_service_refuses_it),
        cmocka_unit_test(the_end_is_counted_by_the_clouds_clock),
        cmocka_unit_test(a_token_that_is_about_to_end_is_renewed_first),
        cmocka_unit_test_setup(a_token_is_kept_for_the_next_run, cache_make),
        cmocka_unit_test_setup(a_cached_token_that_is_refused_is_replaced, cache_make),
        cmocka_unit_test(what_is_no_token_in_a_cache_is_none),
        cmocka_unit_test_setup(sessions_share_a_client_and_ask_once_each, cache_make),
        cmocka_unit_test(the_log_has_every_call_and_no_secret),
    };
    return cmocka_run_group_tests(tests, suite_open, NULL);
}
