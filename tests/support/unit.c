/* SPDX-License-Identifier: Apache-2.0 */
#include "support/unit.h"

#include <CUnit/Basic.h>
#include <stdbool.h>
#include <stdio.h>

int unit_main(const char *suite_name, const struct unit_test *tests, size_t count)
{
    if (CU_initialize_registry() != CUE_SUCCESS) {
        fprintf(stderr, "CUnit: %s\n", CU_get_error_msg());
        return 1;
    }
    CU_pSuite suite =
        CU_add_suite_with_setup_and_teardown(suite_name, NULL, NULL, check_row_clear, NULL);
    for (size_t i = 0; suite != NULL && i < count; i++) {
        if (CU_add_test(suite, tests[i].name, tests[i].run) == NULL) {
            suite = NULL;
        }
    }
    if (suite == NULL) {
        fprintf(stderr, "CUnit: %s\n", CU_get_error_msg());
        CU_cleanup_registry();
        return 1;
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_ErrorCode code = CU_basic_run_tests();
    bool failed = code != CUE_SUCCESS || CU_get_number_of_failures() > 0 ||
                  CU_get_number_of_tests_run() != count;
    CU_cleanup_registry();
    return failed ? 1 : 0;
}
