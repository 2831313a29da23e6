# lookback_web: the pages of web/, built with Node.js and laid into the binary (server/http/assets.hpp declares the table).
find_program(LOOKBACK_NODE NAMES node nodejs DOC "Node.js, builds the pages in web/")
find_program(LOOKBACK_NPM npm DOC "npm, fetches what web/ is built with")
if(NOT LOOKBACK_NODE OR NOT LOOKBACK_NPM)
  message(FATAL_ERROR
    "Node.js 18 or newer and npm are needed to build the pages in web/, and were not found. Install them:\n"
    "  tools/install-packages build    (or: apt-get install nodejs npm)\n"
    "or name them with -DLOOKBACK_NODE=... -DLOOKBACK_NPM=...")
endif()

set(web_out ${CMAKE_BINARY_DIR}/web)
file(GLOB_RECURSE web_inputs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/web/src/*)
file(GLOB web_top CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/web/*.html ${PROJECT_SOURCE_DIR}/web/*.json ${PROJECT_SOURCE_DIR}/web/*.js
  ${PROJECT_SOURCE_DIR}/web/*.mjs ${PROJECT_SOURCE_DIR}/web/.npmrc)

add_custom_command(
  OUTPUT ${web_out}/assets.S ${web_out}/assets.cpp
  COMMAND ${CMAKE_COMMAND}
    -DWEB=${PROJECT_SOURCE_DIR}/web -DOUT=${web_out} -DNODE=${LOOKBACK_NODE} -DNPM=${LOOKBACK_NPM}
    -P ${PROJECT_SOURCE_DIR}/cmake/build_web.cmake
  DEPENDS ${web_inputs} ${web_top} ${PROJECT_SOURCE_DIR}/cmake/build_web.cmake
  COMMENT "Building the pages in web/"
  VERBATIM)

add_library(lookback_web STATIC ${web_out}/assets.S ${web_out}/assets.cpp)
target_include_directories(lookback_web PUBLIC ${PROJECT_SOURCE_DIR})
