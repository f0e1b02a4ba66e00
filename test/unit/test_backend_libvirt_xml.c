/* SPDX-License-Identifier: Apache-2.0 */
/* The writer escapes, the reader gives back what was written. */
#include "backends/libvirt_xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const hard = "a<b>&\"c\" 'd' 광주 인공지능 ]]> <!-- \xf0\x9f\x8c\x8a";

static void names_with_markup_and_korean_letters_come_back_as_they_were(void **state) {
    (void)state;
    struct xml x = {0};
    xml_open(&x, "domain");
    xml_attr(&x, "type", "%s", hard);
    xml_leaf(&x, "title", "%s", hard);
    xml_open(&x, "empty");
    xml_close(&x);
    xml_close(&x);
    char *written = xml_take(&x);
    struct err e = {0};
    struct node *n = node_parse(written, &e);
    assert_string_equal(e.what, "");
    assert_string_equal(node_attribute(n, "type"), hard);
    assert_string_equal(node_value(n, "title"), hard);
    assert_non_null(node_find(n, "empty"));
    assert_null(node_find(n, "b"));
    node_free(n);
    free(written);
}

static void nothing_but_entities_stands_for_markup(void **state) {
    (void)state;
    struct xml x = {0};
    xml_leaf(&x, "t", "%s", "<&\"'>\n\x01");
    char *written = xml_take(&x);
    assert_string_equal(written, "<t>&lt;&amp;&quot;&apos;&gt;&#10;?</t>");
    free(written);
}

static void the_reader_takes_what_libvirt_writes(void **state) {
    (void)state;
    struct err e = {0};
    struct node *n =
        node_parse("<?xml version='1.0'?>\n<!-- WARNING -->\n<a:x xmlns:a='urn:y' k=\"1\">\n"
                   "  <b>one</b><c/><b i='2'>t&#50;o &#xAC00;</b><!-- no --><d><![CDATA[<z>]]></d>\n</a:x>",
                   &e);
    assert_non_null(n);
    assert_string_equal(n->name, "x");
    const struct node *b = node_find(n, "b");
    assert_string_equal(b->text.s, "one");
    b = node_again(b);
    assert_string_equal(b->text.s, "t2o 가");
    assert_string_equal(node_attribute(b, "i"), "2");
    assert_null(node_again(b));
    assert_string_equal(node_value(n, "d"), "<z>");
    assert_string_equal(node_value(n, "no/such"), "");
    node_free(n);
}

static void broken_text_is_an_error_not_a_crash(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",         "x",         "<",           "<a",          "<a>",     "<a></b>",           "<a b></a>",
        "<a b=c/>", "<a b='>",   "<a>&no;</a>", "<a>&#0;</a>", "<a><!--", "<a><![CDATA[x</a>", "<a/ >",
        "</a>",     "<a><b></a>"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct err e = {0};
        assert_null(node_parse(wrong[i], &e));
        assert_int_equal(e.code, ERR_FAILED);
    }
    char deep[3000] = "";
    for (int i = 0; i < 900; i++) strcat(deep, "<a>");
    assert_null(node_parse(deep, &(struct err){0}));
}

static void a_cut_document_is_never_taken_for_whole(void **state) {
    (void)state;
    static const char whole[] = "<a b='1'><c>x&amp;y</c><!-- z --></a>";
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        char cut[sizeof whole] = "";
        memcpy(cut, whole, n);
        assert_null(node_parse(cut, &(struct err){0}));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_with_markup_and_korean_letters_come_back_as_they_were),
        cmocka_unit_test(nothing_but_entities_stands_for_markup),
        cmocka_unit_test(the_reader_takes_what_libvirt_writes),
        cmocka_unit_test(broken_text_is_an_error_not_a_crash),
        cmocka_unit_test(a_cut_document_is_never_taken_for_whole),
    };
    return cmocka_run_group_tests_name("libvirt XML", tests, NULL, NULL);
}
