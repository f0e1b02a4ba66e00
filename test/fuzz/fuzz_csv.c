/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: read or refused with a message; what was read comes back the same when written and read. */
#include "alloc/csv.h"
#include "alloc/scope.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void demand(bool is_so) {
    if (!is_so) abort();
}

/* Reads on; with `again`, every field must be that of `again`. Writes what it reads to out. */
static int read_rows(struct csv *csv, struct csv *again, struct csv_out *out, struct err *e) {
    int more;
    while ((more = csv_next(csv, e)) == 1) {
        if (again) demand(csv_next(again, e) == 1);
        for (size_t i = 0; i < csv->n_columns; i++) {
            demand(text_is_utf8(csv->fields[i], strlen(csv->fields[i])));
            if (again) demand(strcmp(csv->fields[i], again->fields[i]) == 0);
            csv_put(out, csv->fields[i]);
        }
        csv_end_row(out);
    }
    return more;
}

static void write_header(const struct csv *csv, struct csv_out *out) {
    for (size_t i = 0; i < csv->n_columns; i++) csv_put(out, csv->names[i]);
    csv_end_row(out);
}

static bool copy(const char *bytes, size_t length, struct csv_out *out) {
    struct csv csv;
    struct err e = {0};
    bool is_read = csv_open(&csv, bytes, length, "fuzz", &e) == 0;
    if (is_read) {
        write_header(&csv, out);
        is_read = read_rows(&csv, NULL, out, &e) == 0;
    }
    csv_close(&csv);
    demand(is_read != err_is(&e));
    return is_read;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    struct csv_out first = {0}, second = {0};
    if (copy((const char *)bytes, length, &first)) {
        struct csv a, b;
        struct err e = {0};
        demand(csv_open(&a, (const char *)bytes, length, "fuzz", &e) == 0);
        demand(csv_open(&b, first.text.s, first.text.length, "fuzz", &e) == 0);
        demand(a.n_columns == b.n_columns);
        demand(read_rows(&a, &b, &second, &e) == 0 && csv_next(&b, &e) == 0);
        csv_close(&a);
        csv_close(&b);
    }
    text_free(&first.text);
    text_free(&second.text);
    return 0;
}
