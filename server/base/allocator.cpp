#include "server/base/allocator.hpp"

#include <features.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace lookback::server {

void keep_freed_memory() {
#ifdef __GLIBC__
  // Setting a threshold also ends its growth by what was freed last.
  mallopt(M_MMAP_THRESHOLD, 4 << 20);   // the buffers of media are smaller
  mallopt(M_TRIM_THRESHOLD, 64 << 20);  // free at the end of the heap
  mallopt(M_TOP_PAD, 1 << 20);          // fetched at once
#endif
}

}  // namespace lookback::server
