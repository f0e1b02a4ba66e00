/* SPDX-License-Identifier: Apache-2.0 */
#include "alloc/clock.h"
#include "cmd/output.h"

#include <unistd.h>

enum { STEP_MS = 100, BAR = 30 };

void progress_step(struct progress *p, size_t done) {
    if (p->off || !isatty(STDERR_FILENO)) return;
    long long now = clock_monotonic_ms();
    if (p->shown && now - p->last_ms < STEP_MS && (p->total == 0 || done < p->total)) return;
    p->last_ms = now;
    p->shown = true;
    if (p->total == 0) {
        fprintf(stderr, "\r%s: %zu\x1b[K", p->what, done);
    } else {
        if (done > p->total) done = p->total;
        int filled = (int)(done * BAR / p->total);
        fprintf(stderr, "\r%s [%.*s%*s] %zu of %zu\x1b[K", p->what, filled, "##############################",
                BAR - filled, "", done, p->total);
    }
    fflush(stderr);
}

void progress_end(struct progress *p) {
    if (!p->shown) return;
    fputs("\r\x1b[K", stderr);
    fflush(stderr);
    p->shown = false;
}
