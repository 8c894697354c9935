/* SPDX-License-Identifier: Apache-2.0 */
/* The CID of this machine. The device itself is not touched: other files stand for it. */
#include "guest/ask.h"
#include "support/unit.h"

#include <errno.h>

UNIT_TEST(test_environment, "VSOCK_LOCAL_CID")
{
    static const struct {
        const char *value;
        int error;
        uint32_t cid;
    } rows[] = {
        {NULL, 0, 3},
        {"0", 0, 0},
        {"3", 0, 3},
        {"4294967294", 0, 4294967294},
        {"4294967295", -EINVAL, 77}, /* what the kernel says while it does not know */
        {"4294967299", -EINVAL, 77},
        {"", -EINVAL, 77},
        {" 3", -EINVAL, 77},
        {"-1", -EINVAL, 77},
        {"three", -EINVAL, 77},
    };
    CHECK_EACH(i, rows, "%s", rows[i].value) {
        uint32_t cid = 77;
        CHECK_EQUAL(local_cid_parse(rows[i].value, &cid), rows[i].error);
        CHECK_EQUAL(cid, rows[i].cid);
    }
}

UNIT_TEST(test_device, "the device")
{
    uint32_t cid = 77;
    CHECK_EQUAL(local_cid_read("/nowhere/vsock", &cid), -EAFNOSUPPORT);
    CHECK_EQUAL(local_cid_read("/dev/null", &cid), -ENOTTY);
    CHECK_EQUAL(local_cid_read("/dev/null/vsock", &cid), -ENOTDIR);
    CHECK_EQUAL(cid, 77);
}

UNIT_MAIN("guest local CID")
