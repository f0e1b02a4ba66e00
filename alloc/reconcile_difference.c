/* SPDX-License-Identifier: Apache-2.0 */
/* Pure: what was seen of one thing against what is wanted. */
#include "alloc/reconcile_parts.h"

#include "alloc/text.h"

#include <stdlib.h>
#include <string.h>

static void volume_words(const struct backend_operation *op, const struct backend_seen *seen,
                         struct text *out) {
    if (!backend_volume_fits(op->bytes, seen->bytes)) text_add(out, "another size");
}

bool reconcile_is_down(const struct backend_seen *seen) {
    return seen->kind != BACKEND_QUOTA && (seen->state == SEEN_FAILED || seen->state == SEEN_STOPPED);
}

/* Where a cloud does not hold a container to its size, the backend freezes it when it is asked, and thaws it
   when enough was deleted. True: it is to be asked. */
static bool container_words(const struct backend_operation *op, const struct backend_seen *seen,
                            struct text *out) {
    bool is_over = bytes_cmp(seen->allocated, op->bytes) > 0, is_frozen = seen->state == SEEN_PAUSED;
    bool is_sized = bytes_cmp(seen->bytes, op->bytes) == 0;
    if (is_over)
        text_add(out, "it holds %s of %s%s", bytes_text(seen->allocated).s, bytes_text(op->bytes).s,
                 is_frozen ? ", and is frozen" : "");
    else if (is_frozen)
        text_add(out, "it is frozen, and holds no more than %s any more", bytes_text(op->bytes).s);
    else if (!is_sized)
        text_add(out, "it may hold %s, not %s", bytes_text(seen->bytes).s, bytes_text(op->bytes).s);
    return !is_sized || is_over != is_frozen;
}

static int64_t limit_of(const struct backend_limit *limits, size_t n, const char *flavor) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(limits[i].flavor, flavor) == 0) return limits[i].units;
    return 0; /* what is not named: nothing */
}

static void limit_words(const char *flavor, int64_t there, int64_t wanted, struct text *out) {
    if (there == wanted) return;
    text_add(out, "%sits quota is %s x %lld, not %lld", out->length ? "; " : "", flavor, (long long)there,
             (long long)wanted);
}

static void bytes_words(const char *what, bytes_t there, bytes_t wanted, struct text *out) {
    if (bytes_cmp(there, wanted) == 0) return;
    text_add(out, "%sits quota is %s of %s, not %s", out->length ? "; " : "", bytes_text(there).s, what,
             bytes_text(wanted).s);
}

/* True: it is to be set. */
static bool quota_words(const struct backend_quota *q, const struct backend_seen *seen, struct text *out) {
    for (size_t i = 0; i < q->n_limits; i++)
        limit_words(q->limits[i].flavor, limit_of(seen->limits, seen->n_limits, q->limits[i].flavor),
                    q->limits[i].units, out);
    for (size_t i = 0; i < seen->n_limits; i++)
        if (limit_of(q->limits, q->n_limits, seen->limits[i].flavor) == 0)
            limit_words(seen->limits[i].flavor, seen->limits[i].units, 0, out);
    bytes_words("storage", seen->bytes, q->storage, out);
    bytes_words("data lake", seen->datalake, q->datalake, out);
    if (seen->state == SEEN_FAILED)
        text_add(out, "%slimits that go with its quota differ", out->length ? "; " : "");
    return out->length > 0;
}

bool reconcile_differs(const struct backend_operation *op, const struct backend_seen *seen,
                       struct difference *out) {
    struct text words = {0};
    bool may_set = false, is_down = reconcile_is_down(seen);
    if (is_down) text_add(&words, "%s", backend_state_word(seen->state));
    if (!is_down && op->kind == BACKEND_VOLUME) volume_words(op, seen, &words);
    if (!is_down && op->kind == BACKEND_CONTAINER) may_set = container_words(op, seen, &words);
    if (!is_down && op->kind == BACKEND_QUOTA) may_set = quota_words(&op->quota, seen, &words);
    bool differs = words.length > 0;
    *out = (struct difference){differs ? text_take(&words) : NULL, differs && may_set};
    text_free(&words);
    return differs;
}
