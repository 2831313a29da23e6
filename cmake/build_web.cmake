# Builds web/dist and writes the sources that lay it into the binary:
#   cmake -DWEB=web -DOUT=DIR -DNODE=node -DNPM=npm -P build_web.cmake
# web/ is shared by all build directories: a lock lets one at a time in, and what was built from the same bytes is kept.
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${NODE} -p process.versions.node OUTPUT_VARIABLE node_version
  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
if(node_version VERSION_LESS 18)
  message(FATAL_ERROR "${NODE} is Node.js ${node_version}; the pages in web/ need 18 or newer: apt-get install nodejs npm")
endif()

file(MAKE_DIRECTORY ${WEB}/.build ${OUT})
file(LOCK ${WEB}/.build/lock GUARD PROCESS TIMEOUT 900)

# One hash over the names and bytes of `files`.
function(hash_of result)
  set(text "${node_version}")
  foreach(file IN LISTS ARGN)
    file(SHA256 ${file} sha256)
    file(RELATIVE_PATH name ${WEB} ${file})
    string(APPEND text "\n${name} ${sha256}")
  endforeach()
  string(SHA256 hash "${text}")
  set(${result} ${hash} PARENT_SCOPE)
endfunction()

# Runs a command in web/; shows its output only when it fails.
function(run what)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${WEB}
    OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${what} failed (${code}):\n${output}")
  endif()
endfunction()

# Sets `result` when `stamp` was written for `hash`.
function(is_current result stamp hash)
  set(${result} FALSE PARENT_SCOPE)
  if(EXISTS ${stamp})
    file(READ ${stamp} written)
    if(written STREQUAL hash)
      set(${result} TRUE PARENT_SCOPE)
    endif()
  endif()
endfunction()

hash_of(packages ${WEB}/package.json ${WEB}/package-lock.json ${WEB}/.npmrc)
set(packages_stamp ${WEB}/node_modules/.lookback-stamp)  # npm ci removes it together with the folder
is_current(have_packages ${packages_stamp} ${packages})
if(NOT have_packages)
  run("npm ci in web/ (it needs npm's registry)" ${NPM} ci --no-audit --no-fund)
  file(WRITE ${packages_stamp} ${packages})
endif()

file(GLOB_RECURSE sources ${WEB}/src/*)
list(SORT sources)
hash_of(pages ${WEB}/package-lock.json ${WEB}/package.json ${WEB}/tsconfig.json ${WEB}/vite.config.js
  ${WEB}/index.html ${WEB}/watch.html ${sources})
set(pages_stamp ${WEB}/.build/dist-stamp)
is_current(have_pages ${pages_stamp} ${pages})
if(NOT have_pages OR NOT EXISTS ${WEB}/dist/watch.html)
  run("npm run build in web/" ${NPM} run build)
  file(WRITE ${pages_stamp} ${pages})
endif()

run("node web/embed.mjs" ${NODE} ${WEB}/embed.mjs ${WEB}/dist ${OUT})
