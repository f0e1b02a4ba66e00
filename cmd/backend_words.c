/* SPDX-License-Identifier: Apache-2.0 */
/* What people read about the steps of `backend check`, in both languages: alloc/backend_probe.h has the
 * names. */
#include "cmd/backend.h"
#include "cmd/output.h"

#include <string.h>

static const struct words {
    const char *name, *en, *ko;
    const char *remedy, *remedy_ko; /* NULL: none */
} steps[] = {
    {"hosts", "hosts", "호스트", "allot pool show has the hosts and settings of the pool",
     "allot pool show로 풀의 호스트와 설정을 확인하십시오"},
    {"host", "host", "호스트", "start its daemon, or see the way to it; then try again",
     "호스트의 데몬을 켜거나 연결 경로를 확인한 뒤 다시 시도하십시오"},
    {"devices", "devices", "장치", NULL, NULL},
    {"storage", "storage", "저장소", NULL, NULL},
    {"projects", "projects", "프로젝트", "declare projects with the pool: allot-nhn(7)",
     "풀에 프로젝트를 선언하십시오: allot-nhn(7)"},
    {"versions", "identity versions", "인증 버전",
     "see that auth_url in clouds.yaml is right and can be reached",
     "clouds.yaml의 auth_url이 맞고 닿을 수 있는지 확인하십시오"},
    {"token", "token", "토큰",
     "see user, password and project in clouds.yaml; NHN: the API password of the console (Compute > "
     "Instance > Set "
     "API Endpoint)",
     "clouds.yaml의 사용자, 비밀번호, 프로젝트를 확인하십시오. NHN은 콘솔(Compute > Instance > API "
     "엔드포인트 설정)의 "
     "API 비밀번호입니다"},
    {"clock", "clock", "시계", NULL, NULL},
    {"catalog", "catalog", "서비스 목록",
     "enable the service in the console, or see region_name in clouds.yaml",
     "콘솔에서 서비스를 켜거나 clouds.yaml의 region_name을 확인하십시오"},
    {"sizes", "sizes", "서버 크기",
     "put the cloud's names into settings.sizes, or ask the provider to open these sizes to the account",
     "settings.sizes에 클라우드의 이름을 적거나 공급자에게 이 크기를 열어 달라고 요청하십시오"},
    {"image", "image", "이미지", "settings.image names an image: openstack image list",
     "settings.image에 이미지를 적으십시오: openstack image list"},
    {"network", "network", "네트워크", "settings.network names a network of every project",
     "settings.network에 모든 프로젝트에 있는 네트워크를 적으십시오"},
    {"compute_limits", "limits of servers", "서버 한도", "try again later", "나중에 다시 시도하십시오"},
    {"volume_limits", "limits of volumes", "볼륨 한도", "try again later", "나중에 다시 시도하십시오"},
    {"compute_quota", "quota of servers", "서버 쿼터", "the role admin is needed", "admin 역할이 필요합니다"},
    {"volume_quota", "quota of volumes", "볼륨 쿼터", "the role admin is needed", "admin 역할이 필요합니다"},
    {"tenant_usage", "tenant usage", "사용량 합계", "try again later", "나중에 다시 시도하십시오"},
    {"zones", "availability zones", "가용 영역",
     "settings.availability_zone names one of those that are there",
     "settings.availability_zone에 있는 영역을 적으십시오"},
    {"volume_types", "types of volume", "볼륨 종류", "settings.volume_type names one of those that are there",
     "settings.volume_type에 있는 종류를 적으십시오"},
    {"key_pairs", "key pairs", "키 페어", "the account needs the right to make key pairs",
     "계정에 키 페어를 만들 권한이 필요합니다"},
    {"nas", "NAS", "NAS", "enable NAS (online) in the console of the project, or settings.storage: block",
     "프로젝트의 콘솔에서 NAS를 켜거나 settings.storage를 block으로 하십시오"},
    {"objects", "object store", "오브젝트 스토리지",
     "enable the object store in the console of the project; NHN: its own tenant id as objects_project",
     "프로젝트의 콘솔에서 오브젝트 스토리지를 켜십시오. NHN은 별도의 테넌트 ID를 objects_project에 적습니다"},
    {"objects_token", "token of the object store", "오브젝트 스토리지 토큰",
     "objects_project is the tenant id of the object store's own dialog (API Endpoint Setting)",
     "objects_project는 오브젝트 스토리지의 API 엔드포인트 설정에 있는 테넌트 ID입니다"},
    {"container_quota", "quota of a container", "컨테이너 쿼터", "settings.object_store: polled",
     "settings.object_store를 polled로 하십시오"},
    {"container_removed", "trial container removed", "시험 컨테이너 삭제", "remove it by hand",
     "직접 지우십시오"},
    {"system_token", "token for the system", "시스템 토큰",
     "give the user a role for the whole system (openstack role add --system all), or name another in "
     "settings.system_cloud",
     "사용자에게 시스템 전체 역할을 주거나(openstack role add --system all) settings.system_cloud에 다른 "
     "항목을 "
     "적으십시오"},
    {"unified_limits", "unified limits", "통합 한도",
     "register a limit for each class, with Nova's UnifiedLimitsDriver: allot-backend(1); or quota.enforce: "
     "none",
     "Nova의 UnifiedLimitsDriver와 함께 클래스마다 한도를 등록하십시오: allot-backend(1). 또는 "
     "quota.enforce: none"},
    {"placement", "usage by Placement", "Placement 사용량", "the role admin is needed",
     "admin 역할이 필요합니다"},
    {"account_quota", "quota of accounts", "계정 쿼터",
     "the role ResellerAdmin is needed, or object_store: none",
     "ResellerAdmin 역할이 필요합니다. 또는 object_store: none"},
};

static const struct words *find(const char *name) {
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(steps[i].name, name) == 0) return &steps[i];
    return NULL;
}

const char *backend_step_title(const struct call *call, const char *name) {
    const struct words *w = find(name);
    return w ? output_choose(call, w->en, w->ko) : name;
}

const char *backend_step_remedy(const struct call *call, const char *name) {
    const struct words *w = find(name);
    return w && w->remedy ? output_choose(call, w->remedy, w->remedy_ko) : NULL;
}

const char *backend_outcome_title(const struct call *call, enum backend_outcome outcome) {
    static const char *const korean[] = {"됨", "없음", "빠짐", "알 수 없음", "건너뜀"};
    return output_choose(call, backend_outcome_words[outcome], korean[outcome]);
}
