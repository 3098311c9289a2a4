"""What pytest-modelsize costs, beside what it is compared with, in one run.

python -m benchmarks [--short] [FOLDER] > docs/performance.md
"""
