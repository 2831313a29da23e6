#pragma once
#include <fcntl.h>
#include <sys/mman.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "store/base/descriptor.hpp"
#include "tests/faults/shim.hpp"

namespace lookback::faults {

/// The test's end of the shim: the shared file, and the environment of the program whose file calls are
/// meant.
class SharedControl {
 public:
  /// `data`: the store's folder; `file`: made here.
  SharedControl(std::filesystem::path data, std::filesystem::path file)
      : data_(std::move(data)), file_(std::move(file)) {
    const Descriptor shared(::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    void* memory = MAP_FAILED;
    if (shared && ::ftruncate(shared.get(), sizeof(Control)) == 0)
      memory = ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, shared.get(), 0);
    if (memory == MAP_FAILED) throw std::runtime_error("cannot share " + file_.string());
    control_ = static_cast<Control*>(memory);
  }
  ~SharedControl() { ::munmap(control_, sizeof(Control)); }
  SharedControl(const SharedControl&) = delete;
  SharedControl& operator=(const SharedControl&) = delete;

  Control& operator*() { return *control_; }
  Control* operator->() { return control_; }
  std::vector<std::pair<std::string, std::string>> environment() const {
    return {{folder_variable, data_.string()}, {control_variable, file_.string()}};
  }

 private:
  const std::filesystem::path data_, file_;
  Control* control_ = nullptr;
};

}  // namespace lookback::faults
