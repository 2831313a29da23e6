# Compiler settings shared by every target, in one interface library.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 # a second clone compiles nothing anew
      ${CCACHE})
endif()

add_library(lookback_compiler INTERFACE)
target_compile_options(lookback_compiler INTERFACE
  -Wall -Wextra -Wshadow -Woverloaded-virtual -fno-omit-frame-pointer
  $<$<BOOL:${LOOKBACK_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
target_compile_definitions(lookback_compiler INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE _GLIBCXX_ASSERTIONS)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
  # SSE4.2 for CRC32C: every x86-64 server since 2008 has it.
  target_compile_options(lookback_compiler INTERFACE -msse4.2)
endif()

if(LOOKBACK_SANITIZE)
  target_compile_options(lookback_compiler INTERFACE -fsanitize=${LOOKBACK_SANITIZE} -O1 -g)
  target_link_options(lookback_compiler INTERFACE -fsanitize=${LOOKBACK_SANITIZE})
  if(LOOKBACK_SANITIZE MATCHES "undefined")
    # vptr looks at memory through a pipe: it cries wolf in the tests that run out of descriptors.
    target_compile_options(lookback_compiler INTERFACE -fno-sanitize-recover=undefined -fno-sanitize=vptr)
  endif()
else()
  target_compile_options(lookback_compiler INTERFACE
    -fstack-protector-strong $<$<CONFIG:Release>:-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -g1>)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
    target_compile_options(lookback_compiler INTERFACE -fcf-protection)
  endif()
  target_link_options(lookback_compiler INTERFACE -pie -Wl,-z,relro,-z,now)
endif()
