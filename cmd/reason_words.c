/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/reason_words.h"

#include "policies/measure.h"

#include <string.h>

struct meaning {
    const char *code, *en, *ko;
};

static const struct meaning meanings[] = {
    {"NOT_ELIGIBLE", "not eligible", "자격 없음"},
    {"SUSPENDED", "suspended", "이용 정지"},
    {"EXCEEDS_CEILING", "above the ceiling", "한도 초과"},
    {"EXCEEDS_BUDGET", "above the budget of the period", "기간 예산 초과"},
    {"BELOW_SMALLEST_STEP", "less than the smallest server", "가장 작은 서버보다 적음"},
    {"NO_SUCH_FLAVOR", "no such accelerator here", "없는 가속기"},
    {"NO_SUCH_SIZE", "no server of this size", "없는 서버 크기"},
    {"NO_SUCH_SERVICE", "no such service here", "없는 서비스"},
    {"EXCEEDS_POOL", "more than the pool has", "자원 풀보다 많음"},
    {"LEASE_TOO_LONG", "longer than a lease may be", "허용된 기간보다 긺"},
    {"LEASE_OVER", "the wanted end has passed", "희망 종료일이 지남"},
    {"NEEDS_APPROVAL", "a person must approve", "담당자 승인 필요"},
    {"EVAL_ERROR", "a fact is missing", "정보 누락"},
    {"BACKEND_REFUSED", "the cloud refused", "클라우드가 거부"},
    {"NO_POLICY", "no policy is valid", "유효한 정책 없음"},
    {"DEBT", "holds more than its ceiling", "한도보다 많이 보유"},
    {"DRAINING", "the pool gives nothing new", "자원 풀 신규 배정 중지"},
    {"IN_CALL", "waits for the award of its call", "공모 선정 대기"},
    {"RESERVE_LIST", "on the reserve list of its call", "공모 예비 명단"},
    {"RESERVED_FOR_TIER", "kept for a better tier", "상위 등급 몫"},
    {"BEHIND_BARRIER", "set aside for one that waited long", "오래 기다린 신청에 배정 예정"},
    {"LEND_LIMIT", "what is free covers guarantees of others", "남은 자원은 다른 기업의 보장분"},
    {"NO_UNITS", "no units free", "남은 장치 없음"},
    {"NO_STORAGE", "no storage free", "남은 저장 공간 없음"},
    {"NO_DATALAKE", "no data lake free", "남은 데이터 레이크 없음"},
    {"NO_SEATS", "no seats free", "남은 사용자 수 없음"},
    {"WAITING_TURN", "waits its turn", "순번 대기"},
    {"ROUNDED", "rounded down", "내림 처리"},
    {"SHRUNK", "less than asked", "신청보다 적게 배정"},
    {"PASSED", "passed", "통과"}, /* a note: no cause */
    {"NOT_SIGNED", "its agreement was not signed in time", "기한 안에 협약하지 않음"},
    {MEASURE_REFUSED, "not approved", "승인되지 않음"},
};

static const struct meaning *meaning_of(const char *code, size_t length) {
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strlen(meanings[i].code) == length && strncmp(code, meanings[i].code, length) == 0)
            return &meanings[i];
    return NULL;
}

const char *reason_meaning(const char *code, bool korean) {
    const struct meaning *m = meaning_of(code, strlen(code)); /* one has a blank in it */
    if (!m) m = meaning_of(code, strcspn(code, " ,"));
    return !m ? NULL : korean ? m->ko : m->en;
}

void reason_meanings(const char *codes, bool korean, struct text *out) {
    const char *before[sizeof meanings / sizeof *meanings];
    size_t n = 0;
    for (const char *at = codes; at && *at; at = strchr(at, ','), at = at ? at + strspn(at, ", ") : NULL) {
        const char *words = reason_meaning(at, korean);
        size_t k = 0;
        while (k < n && before[k] != words) k++;
        if (!words || k < n || strncmp(at, "PASSED", strlen("PASSED")) == 0 ||
            n == sizeof before / sizeof *before)
            continue;
        text_add(out, "%s%s", n ? "; " : "", words);
        before[n++] = words;
    }
}
