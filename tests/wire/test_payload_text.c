/* SPDX-License-Identifier: Apache-2.0 */
#include "support/golden.h"
#include "support/unit.h"
#include "wire/payload_text.h"

#include <stdlib.h>

#define DIGEST "0000000000000000000000000000000000000000000000000000000000000000"

static const struct {
    struct answer response;
    const char *text;
    const char *value;
} samples[] = {
    {{.kind = PAYLOAD_NONE}, "NoPayload", ""},
    {{.kind = PAYLOAD_HOSTOS_VERSION, .hostos_version = {"1.2.3", 5}},
     "HostOSVersion(1.2.3)",
     "1.2.3"},
    {{.kind = PAYLOAD_HOSTOS_VERSION, .hostos_version = {"a\nb", 3}},
     "HostOSVersion(a\\x0ab)",
     "a\\x0ab"},
    {{.kind = PAYLOAD_HOSTOS_VSOCK_VERSION, .vsock_version = {1, 0, 4294967295}},
     "HostOSVsockVersion(1.0.4294967295)",
     "1.0.4294967295"},
    {{.kind = PAYLOAD_UPGRADE_STATUS}, "UpgradeStatus(idle, 0/0, -, ok)", "idle"},
    {{.kind = PAYLOAD_UPGRADE_STATUS,
      .status = {.phase = PHASE_DOWNLOADING,
                 .done = 1048576,
                 .total = 18446744073709551615U,
                 .has_sha256 = true}},
     "UpgradeStatus(downloading, 1048576/18446744073709551615, " DIGEST ", ok)",
     "downloading"},
    {{.kind = PAYLOAD_UPGRADE_STATUS,
      .status = {.phase = PHASE_FAILED,
                 .result = ERROR_HASH_MISMATCH,
                 .detail = {"another\x1b", 8}}},
     "UpgradeStatus(failed, 0/0, -, hash_mismatch, another\\x1b)",
     "failed"},
    {{.kind = PAYLOAD_UPGRADE_STATUS, .status = {.phase = 8, .result = 19}},
     "UpgradeStatus(8, 0/0, -, 19)",
     "8"},
    {{.kind = 9}, "9()", ""},
};

UNIT_TEST(test_forms, "payload and value forms")
{
    CHECK_EACH(i, samples, "%s", samples[i].text) {
        char out[256];
        size_t length = payload_text(&samples[i].response, out, sizeof out);
        CHECK_STRING(out, samples[i].text);
        CHECK_EQUAL(length, strlen(samples[i].text));
        length = payload_value(&samples[i].response, out, sizeof out);
        CHECK_STRING(out, samples[i].value);
        CHECK_EQUAL(length, strlen(samples[i].value));
    }
}

/* In a buffer of any size: a beginning of the line, its NUL, and the length that was needed. */
UNIT_TEST(test_cut, "cut to the buffer")
{
    CHECK_EACH(i, samples, "%s", samples[i].text) {
        size_t needed = strlen(samples[i].text);
        for (size_t size = 1; size <= needed + 1; size++) {
            CHECK_ROW("size = %zu", size);
            char *out = exact_room(size);
            CHECK_EQUAL(payload_text(&samples[i].response, out, size), needed);
            CHECK_COMPARE(strlen(out), <, size);
            CHECK_PREFIX(samples[i].text, out);
            free(out);
        }
    }
}

UNIT_MAIN("wire payload text")
