# SPDX-License-Identifier: Apache-2.0
# Warnings, hardening and instrumentation: one interface target that every target of ours links.
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

add_library(vsock_flags INTERFACE)
target_include_directories(vsock_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(vsock_flags INTERFACE
    _GNU_SOURCE
    _FILE_OFFSET_BITS=64
    VSOCK_VERSION_MAJOR=${PROJECT_VERSION_MAJOR}
    VSOCK_VERSION_MINOR=${PROJECT_VERSION_MINOR}
    VSOCK_VERSION_PATCH=${PROJECT_VERSION_PATCH}
    VSOCK_VERSION="${PROJECT_VERSION}")

target_compile_options(vsock_flags INTERFACE
    -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wformat=2 -Wundef -Wcast-qual
    -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wvla
    -Wimplicit-fallthrough -Wswitch-enum -Wnull-dereference -Wdouble-promotion -fno-common)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(vsock_flags INTERFACE
        -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init)
elseif(CMAKE_C_COMPILER_ID MATCHES "Clang")
    target_compile_options(vsock_flags INTERFACE -Wthread-safety -Wcomma -Wassign-enum)
endif()
if(VSOCK_WERROR)
    target_compile_options(vsock_flags INTERFACE -Werror)
endif()

# Hardening of every build that is not instrumented; tests/checks/hardening reads it back out of the binaries.
target_compile_options(vsock_flags INTERFACE -fstack-protector-strong -fno-strict-overflow)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
    target_compile_options(vsock_flags INTERFACE -fcf-protection=full)
endif()
if(VSOCK_SANITIZE)
    target_compile_options(vsock_flags INTERFACE
        -fsanitize=${VSOCK_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(vsock_flags INTERFACE -fsanitize=${VSOCK_SANITIZE})
else()
    target_compile_options(vsock_flags INTERFACE
        -fstack-clash-protection $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
target_link_options(vsock_flags INTERFACE
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,--as-needed)

if(VSOCK_COVERAGE)
    target_compile_options(vsock_flags INTERFACE --coverage -fprofile-update=atomic)
    target_link_options(vsock_flags INTERFACE --coverage)
endif()
