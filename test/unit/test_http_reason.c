/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/http.h"

#include "alloc/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *body, const char *words) {
    struct text out = {0};
    scoped_json json_t *json = json_loads(body, 0, NULL);
    http_reason(json, body, strlen(body), &out);
    assert_string_equal(out.s ? out.s : "", words);
    assert_true(text_is_printable(out.s ? out.s : ""));
    text_free(&out);
}

static void each_service_is_quoted_in_its_own_words(void **state) {
    (void)state;
    expect("{\"error\":{\"code\":401,\"message\":\"The request you have made requires authentication.\","
           "\"title\":\"Unauthorized\"}}",
           "The request you have made requires authentication.");
    expect("{\"forbidden\": {\"code\": 403, \"message\": \"Quota exceeded for ram: Requested 30720\"}}",
           "Quota exceeded for ram: Requested 30720");
    expect("{\"overLimit\": {\"message\": \"VolumeSizeExceedsAvailableQuota: 9G\", \"code\": 413, "
           "\"retryAfter\": \"0\"}}",
           "VolumeSizeExceedsAvailableQuota: 9G");
    expect("{\"NeutronError\": {\"type\": \"OverQuota\", \"message\": \"Quota exceeded for resources: "
           "['port'].\","
           "\"detail\": \"\"}}",
           "OverQuota: Quota exceeded for resources: ['port'].");
    expect("{\"NeutronError\": \"The resource could not be found.\"}", "The resource could not be found.");
    expect(
        "{\"header\": {\"isSuccessful\": false, \"resultCode\": 40054, \"resultMessage\": \"not enabled\"}}",
        "not enabled, result code 40054");
    expect("{\"errors\": [{\"status\": 409, \"title\": \"Conflict\", \"detail\": \"Unable to "
           "allocate\\ninventory\","
           "\"request_id\": \"req-1\"}]}",
           "Conflict: Unable to allocate inventory");
    expect("{\"message\": \"No image found with ID x<br /><br />\\n\\n\", \"code\": \"404 Not Found\"}",
           "No image found with ID x");
    expect("{\"message\": \"The server could not comply\", \"code\": \"400 Bad Request\", \"title\": \"Bad "
           "Request\"}",
           "The server could not comply");
}

static void other_text_is_stripped_and_shortened(void **state) {
    (void)state;
    expect("<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n"
           "  The resource could not be found.<br /><br />\n </body>\n</html>",
           "404 Not Found The resource could not be found.");
    expect("<html><h1>Unauthorized</h1><p>This server could not verify.</p></html>",
           "Unauthorized This server could not verify.");
    expect("Upload exceeds quota.", "Upload exceeds quota.");
    expect("", "");
    expect(" \n\t ", "");
    expect("{}", "{}");
    expect("{\"forbidden\": {\"code\": 403}}", "{\"forbidden\": {\"code\": 403}}");
    expect("{\"error\": 7, \"errors\": [], \"x\": [1]", "{\"error\": 7, \"errors\": [], \"x\": [1]");
    char page[4000];
    memset(page, 'x', sizeof page - 1);
    page[sizeof page - 1] = '\0';
    struct text out = {0};
    http_reason(NULL, page, sizeof page - 1, &out);
    assert_int_equal(out.length, HTTP_REASON_MOST);
    assert_string_equal(out.s + out.length - 4, "x...");
    text_free(&out);
}

static void words_are_one_printable_line(void **state) {
    (void)state;
    expect("할당량을 초과\x1b[31m했습니다\r\n\x7f!", "할당량을 초과 [31m했습니다 !");
    expect("a\xff\xfe"
           "b\xc2\x85"
           "c\xe3\x81",
           "a??b?c?");
    struct text out = {0};
    http_reason(NULL, NULL, 0, &out);
    assert_null(out.s);
}

static void back_off_doubles_to_a_bound_and_jitters_by_half(void **state) {
    (void)state;
    assert_int_equal(http_backoff_ms(1, 0), 250);
    assert_int_equal(http_backoff_ms(2, 0), 500);
    assert_int_equal(http_backoff_ms(6, 0), 8000);
    assert_int_equal(http_backoff_ms(7, 0), 15000);
    assert_int_equal(http_backoff_ms(1000000, 0), 15000);
    for (uint64_t random = 0; random < 1000; random++) {
        int64_t ms = http_backoff_ms(3, random * UINT64_C(0x9e3779b97f4a7c15));
        assert_in_range(ms, 500, 1000);
    }
    assert_int_equal(http_backoff_ms(3, 500), 500);
    assert_int_equal(http_backoff_ms(3, 501), 1000);
}

static int64_t after(const char *value, const char *date, int64_t now) {
    int64_t ms = -1;
    return http_retry_after_ms(value, date, now, &ms) ? ms : -1;
}

static void retry_after_is_seconds_or_a_date(void **state) {
    (void)state;
    const int64_t when = 784111777; /* RFC 9110's own example */
    int64_t s;
    assert_true(http_date_parse("Sun, 06 Nov 1994 08:49:37 GMT", &s));
    assert_int_equal(s, when);
    assert_int_equal(after("0", NULL, 0), 0);
    assert_int_equal(after("120", NULL, 0), 120000);
    assert_int_equal(after("99999999999999", NULL, 0), 86400000);
    assert_int_equal(after("Sun, 06 Nov 1994 08:49:37 GMT", NULL, when - 30), 30000);
    assert_int_equal(after("Sun, 06 Nov 1994 08:49:37 GMT", NULL, when + 30), 0);
    /* the server's own clock, where it says it */
    assert_int_equal(after("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:30 GMT", when + 9999),
                     7000);
    const char *const wrong[] = {"",
                                 "-1",
                                 "1.5",
                                 "soon",
                                 "Sun, 06 Nov 1994 08:49:37 UTC",
                                 "+1",
                                 " 1",
                                 "1 s",
                                 "Sun, 31 Feb 1994 08:49:37 GMT",
                                 "Sunday, 06-Nov-94 08:49:37 GMT",
                                 "Sun, 06 anF 1994 08:49:37 GMT",
                                 "Sun, 06 Nov 1994 08:49:37 GMT ",
                                 "Sun, 6 Nov 1994 08:49:37 GMT"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_int_equal(after(wrong[i], NULL, 0), -1);
    assert_int_equal(after(NULL, NULL, 0), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_service_is_quoted_in_its_own_words),
        cmocka_unit_test(other_text_is_stripped_and_shortened),
        cmocka_unit_test(words_are_one_printable_line),
        cmocka_unit_test(back_off_doubles_to_a_bound_and_jitters_by_half),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
