"""Official scores, ranking, agreement and the diagnostics beside them.

Two halves, kept apart on purpose. The official half (`rounding rule missing marks trimming
estimators trace scores ranking replay`) is exact rational and Decimal arithmetic and never loads
numpy. The diagnostic half (`components icc alpha chance concordance agreement outliers
uncertainty`) may use floats and loads numpy and scipy inside its functions, so that starting the
application does not pay for them. Nothing diagnostic ever feeds an official score.
"""
