@echo off
rem Start the command beckon in the project's own environment, made at the first run.
setlocal
set PYTHONPATH=
set PYTHONHOME=
set PYTHONUTF8=1
py -3 -I "%~dp0host_tools\toolchain\bootstrap.py" || exit /b 1
"%~dp0.venv\Scripts\python.exe" -P -m host_tools %*
