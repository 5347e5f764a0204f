"""The runner of the benchmarks: standard Python alone, save the plots.

    arguments ─▶ main ─▶ install ─▶ rotation ──▶ summary ─▶ judge ─▶ tables, plots
                                     │  for every round, scenario and peer:
                                     └─ measure: mock + proxy (processes) + load ─▶ figures

One measurement is one fresh mock, one fresh proxy and one run of the load generator; nothing is carried over.
"""
