/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sharing function (policies/fill.h) as JSON, as `allot policy share` reads and prints it:
 *   in   {"capacity": {"cpu": 9, ...}, "weigh": "total", "strict": false, "claims": [{"id": "A",
 *         "step": {"cpu": 1, ...}, "max": null, "weight": 1, "guarantee": 0, "tier": 0, "credits": 0,
 *         "submitted": 0}, ...]}; all but capacity, claims, id and step may be left out
 *   out  {"given": {"A": 3}, "order": ["A", ...], "scarce": ["cpu"], "shares": {"A": "12/18"},
 *         "used": {"cpu": 9}}: keys and scarce sorted by bytes, the same bytes whatever the order of
 *         the input
 * Strict: unknown keys, reals, null for anything but max, guarantees that cannot all be kept, too many
 * steps are refused with the path (claims[0].weight). Guarantees are summed in the order of the file: the
 * first that cannot be kept beside those before it is named.
 */
#pragma once
#include "policies/fill.h"

#include <jansson.h>

enum { FILL_BYTES_MOST = 256 << 20 }; /* of a file: a million claims with every key fit */

struct fill_input {
    struct fill_problem problem; /* points into what follows */
    const char **resources, **ids;
    size_t *places; /* of each claim in the input */
    int64_t *capacity;
    struct fill_claim *claims;
    struct fill_amount *amounts;
    json_t *document;
};

/* The document is borrowed by the input until it is freed. */
int fill_decode(json_t *document, const char *title, struct fill_input *in, struct err *e);
void fill_input_free(struct fill_input *in);
/* One line of JSON. The caller owns it. */
char *fill_encode(const struct fill_input *in, const struct fill_result *r);
/* From document to line; NULL: refused. */
char *fill_answer(json_t *document, const char *title, struct err *e);
