"""Airflow: LatentSpark's retraining, every night."""

from datetime import datetime, timedelta

from airflow import DAG
from airflow.operators.bash import BashOperator

with DAG(
    dag_id="latentspark_retrain",
    schedule="0 2 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
) as dag:
    BashOperator(
        task_id="retrain",
        # 4: another run holds the models, which is no failure; 99 marks the task as skipped.
        bash_command=(
            "scripts/retrain --conf conf/nightly/retrain.conf; code=$?; "
            "[ $code -eq 4 ] && exit 99; exit $code"
        ),
        cwd="/opt/latentspark",
        env={
            "SPARK_HOME": "/opt/spark",
            "LATENTSPARK_MASTER": "spark://head:7077",
            # Logs and the registry then call the run as Airflow does.
            "LATENTSPARK_RUN_ID": "{{ run_id }}",
        },
        append_env=True,
        skip_on_exit_code=99,
    )
