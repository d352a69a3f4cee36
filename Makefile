# make run   installs what is missing (Debian 12), builds, and runs the quick start
# make test  installs what is missing, builds, and runs all tests
# make bench builds and runs the benchmarks
# make reality runs the same scenarios over really slow networks and through the simulator (root; some minutes)

BUILD := build
JOBS := $(shell nproc)

.PHONY: run test bench reality build install-packages clean

run: build
	$(BUILD)/isthmus run scenarios/quickstart.json --again

test: build
	ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

bench: install-packages
	cmake --preset release -DISTHMUS_BENCHMARKS=ON
	cmake --build --preset release -j $(JOBS)
	$(BUILD)/tests/bench/benchmarks

reality: build
	tests/reality/run.sh --build $(BUILD)

build: install-packages
	cmake --preset release
	cmake --build --preset release -j $(JOBS)

install-packages:
	@.ci/install-packages

clean:
	rm -rf build build-*
