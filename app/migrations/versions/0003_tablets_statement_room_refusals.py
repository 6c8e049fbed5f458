"""tablets, statement room, refusals

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

import app.db
from app.ledger.models import append_only_ddl

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

APPEND_ONLY = ('field_op', 'field_outcome')


def upgrade() -> None:
    op.create_table('field_signature',
    sa.Column('sheet_id', sa.String(length=16), nullable=False),
    sa.Column('op_id', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('strokes', sa.JSON(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_field_signature')),
    sa.UniqueConstraint('sheet_id', name=op.f('uq_field_signature_sheet_id'))
    )
    with op.batch_alter_table('field_signature', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_field_signature_op_id'), ['op_id'], unique=False)

    op.create_table('former_value',
    sa.Column('person_id', sa.String(length=16), nullable=False),
    sa.Column('field', sa.String(length=64), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    sa.Column('changed_by', sa.String(length=16), nullable=True),
    sa.Column('changed_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("field IN ('name', 'phone', 'id_number', 'birth_date')", name=op.f('ck_former_value_field')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_former_value_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_former_value'))
    )
    with op.batch_alter_table('former_value', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_former_value_person_id'), ['person_id'], unique=False)

    op.create_table('column_map',
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('headings', sa.String(length=64), nullable=False),
    sa.Column('columns', sa.JSON(), nullable=False),
    sa.Column('saved_by', sa.String(length=16), nullable=True),
    sa.Column('saved_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['saved_by'], ['account.id'], name=op.f('fk_column_map_saved_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_column_map')),
    sa.UniqueConstraint('kind', 'headings', name=op.f('uq_column_map_kind_headings'))
    )
    op.create_table('tablet',
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('label', sa.String(length=200), nullable=False),
    sa.Column('agent', sa.String(length=200), nullable=False),
    sa.Column('public_key', sa.String(length=200), nullable=False),
    sa.Column('bound_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('last_seen_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('revoked_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('revoked_by', sa.String(length=16), nullable=True),
    sa.Column('revoked_reason', sa.Text(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_tablet_account_id_account')),
    sa.ForeignKeyConstraint(['revoked_by'], ['account.id'], name=op.f('fk_tablet_revoked_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tablet'))
    )
    with op.batch_alter_table('tablet', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tablet_account_id'), ['account_id'], unique=False)

    op.create_table('expert_correction',
    sa.Column('expert_id', sa.String(length=16), nullable=False),
    sa.Column('field', sa.String(length=64), nullable=False),
    sa.Column('wanted', sa.Text(), nullable=False),
    sa.Column('explanation', sa.Text(), nullable=False),
    sa.Column('asked_by', sa.String(length=16), nullable=False),
    sa.Column('asked_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('decision', sa.String(length=64), nullable=True),
    sa.Column('decided_by', sa.String(length=16), nullable=True),
    sa.Column('decided_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('decision_reason', sa.Text(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("decision IN ('accepted', 'refused')", name=op.f('ck_expert_correction_decision')),
    sa.CheckConstraint("field IN ('name', 'phone', 'id_number', 'birth_date', 'employer', 'title', 'specialties', 'career_start', 'matter')", name=op.f('ck_expert_correction_field')),
    sa.ForeignKeyConstraint(['asked_by'], ['account.id'], name=op.f('fk_expert_correction_asked_by_account')),
    sa.ForeignKeyConstraint(['decided_by'], ['account.id'], name=op.f('fk_expert_correction_decided_by_account')),
    sa.ForeignKeyConstraint(['expert_id'], ['expert.id'], name=op.f('fk_expert_correction_expert_id_expert')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_expert_correction'))
    )
    with op.batch_alter_table('expert_correction', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_expert_correction_expert_id'), ['expert_id'], unique=False)

    op.create_table('field_batch',
    sa.Column('tablet_id', sa.String(length=16), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('first', sa.String(length=64), nullable=False),
    sa.Column('last', sa.String(length=64), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('ops_root', sa.String(length=64), nullable=False),
    sa.Column('results_root', sa.String(length=64), nullable=False),
    sa.Column('received_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('imported_by', sa.String(length=16), nullable=True),
    sa.Column('leaf', sa.Integer(), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_field_batch_account_id_account')),
    sa.ForeignKeyConstraint(['imported_by'], ['account.id'], name=op.f('fk_field_batch_imported_by_account')),
    sa.ForeignKeyConstraint(['tablet_id'], ['tablet.id'], name=op.f('fk_field_batch_tablet_id_tablet')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_field_batch'))
    )
    with op.batch_alter_table('field_batch', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_field_batch_leaf'), ['leaf'], unique=False)
        batch_op.create_index(batch_op.f('ix_field_batch_tablet_id'), ['tablet_id'], unique=False)

    op.create_table('media_file',
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('tablet_id', sa.String(length=16), nullable=True),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('mime', sa.String(length=64), nullable=False),
    sa.Column('kept_sha256', sa.String(length=64), nullable=False),
    sa.Column('kept_size', sa.Integer(), nullable=False),
    sa.Column('kept_mime', sa.String(length=64), nullable=False),
    sa.Column('arrived_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_media_file_account_id_account')),
    sa.ForeignKeyConstraint(['tablet_id'], ['tablet.id'], name=op.f('fk_media_file_tablet_id_tablet')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_media_file')),
    sa.UniqueConstraint('account_id', 'sha256', name=op.f('uq_media_file_account_id_sha256'))
    )
    with op.batch_alter_table('media_file', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_media_file_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_media_file_sha256'), ['sha256'], unique=False)

    op.create_table('past_panel',
    sa.Column('expert_id', sa.String(length=16), nullable=False),
    sa.Column('round_name', sa.String(length=200), nullable=False),
    sa.Column('region_code', sa.String(length=64), nullable=True),
    sa.Column('since', sa.Date(), nullable=True),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('basis', sa.String(length=200), nullable=False),
    sa.Column('recorded_by', sa.String(length=16), nullable=True),
    sa.Column('recorded_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('struck_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('struck_by', sa.String(length=16), nullable=True),
    sa.Column('struck_reason', sa.Text(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['expert_id'], ['expert.id'], name=op.f('fk_past_panel_expert_id_expert')),
    sa.ForeignKeyConstraint(['recorded_by'], ['account.id'], name=op.f('fk_past_panel_recorded_by_account')),
    sa.ForeignKeyConstraint(['struck_by'], ['account.id'], name=op.f('fk_past_panel_struck_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_past_panel'))
    )
    with op.batch_alter_table('past_panel', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_past_panel_expert_id'), ['expert_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_past_panel_region_code'), ['region_code'], unique=False)

    op.create_table('score_rule_change',
    sa.Column('round_id', sa.String(length=16), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('after', sa.JSON(), nullable=False),
    sa.Column('before_digest', sa.String(length=64), nullable=False),
    sa.Column('after_digest', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('changed_by', sa.String(length=16), nullable=True),
    sa.Column('changed_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['changed_by'], ['account.id'], name=op.f('fk_score_rule_change_changed_by_account')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_score_rule_change_round_id_round')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_score_rule_change')),
    sa.UniqueConstraint('round_id', 'number', name=op.f('uq_score_rule_change_round_id_number'))
    )
    with op.batch_alter_table('score_rule_change', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_score_rule_change_round_id'), ['round_id'], unique=False)

    op.create_table('tablet_nonce',
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('tablet_id', sa.String(length=16), nullable=False),
    sa.Column('nonce_hash', sa.String(length=64), nullable=False),
    sa.Column('expires_at', app.db.Moment(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['tablet_id'], ['tablet.id'], name=op.f('fk_tablet_nonce_tablet_id_tablet')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tablet_nonce')),
    sa.UniqueConstraint('nonce_hash', name=op.f('uq_tablet_nonce_nonce_hash'))
    )
    with op.batch_alter_table('tablet_nonce', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tablet_nonce_tablet_id'), ['tablet_id'], unique=False)

    op.create_table('calibration_meeting',
    sa.Column('run_id', sa.String(length=16), nullable=False),
    sa.Column('held_on', sa.Date(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('by', sa.String(length=16), nullable=True),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['by'], ['account.id'], name=op.f('fk_calibration_meeting_by_account')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_calibration_meeting_run_id_run')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calibration_meeting'))
    )
    with op.batch_alter_table('calibration_meeting', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_calibration_meeting_run_id'), ['run_id'], unique=False)

    op.create_table('draw_release',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('asked_by', sa.String(length=16), nullable=False),
    sa.Column('asked_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.String(length=16), nullable=True),
    sa.Column('decided_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('statement', sa.String(length=64), nullable=True),
    sa.Column('used_purpose', sa.String(length=64), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("state IN ('asked', 'refused', 'released', 'used')", name=op.f('ck_draw_release_state')),
    sa.CheckConstraint('decided_by IS NULL OR decided_by <> asked_by', name=op.f('ck_draw_release_two_persons')),
    sa.ForeignKeyConstraint(['asked_by'], ['account.id'], name=op.f('fk_draw_release_asked_by_account')),
    sa.ForeignKeyConstraint(['decided_by'], ['account.id'], name=op.f('fk_draw_release_decided_by_account')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_draw_release_draw_id_draw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draw_release')),
    sa.UniqueConstraint('draw_id', 'number', name=op.f('uq_draw_release_draw_id_number'))
    )
    with op.batch_alter_table('draw_release', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_draw_release_draw_id'), ['draw_id'], unique=False)
        batch_op.create_index('ix_draw_release_one_open', ['draw_id'], unique=True, sqlite_where=sa.text("state IN ('asked', 'released')"), postgresql_where=sa.text("state IN ('asked', 'released')"))
        batch_op.create_index(batch_op.f('ix_draw_release_used_purpose'), ['used_purpose'], unique=False)

    op.create_table('draw_work',
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=True),
    sa.Column('state', sa.String(length=64), nullable=False),
    sa.Column('stage_zh', sa.Text(), nullable=False),
    sa.Column('stage_en', sa.Text(), nullable=False),
    sa.Column('thousandths', sa.Integer(), nullable=True),
    sa.Column('said_zh', sa.Text(), nullable=False),
    sa.Column('said_en', sa.Text(), nullable=False),
    sa.Column('began_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('heard_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('ended_at', app.db.Moment(timezone=True), nullable=True),
    sa.CheckConstraint("kind IN ('what_if', 'commit')", name=op.f('ck_draw_work_kind')),
    sa.CheckConstraint("state IN ('running', 'done', 'refused', 'broken')", name=op.f('ck_draw_work_state')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_draw_work_account_id_account')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_draw_work_draw_id_draw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draw_work')),
    sa.UniqueConstraint('draw_id', name=op.f('uq_draw_work_draw_id'))
    )
    op.create_table('field_op',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('batch_id', sa.String(length=16), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('leaf', sa.Integer(), nullable=False),
    sa.Column('tablet_id', sa.String(length=16), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('sheet_key', sa.String(length=64), nullable=False),
    sa.Column('sheet_id', sa.String(length=16), nullable=True),
    sa.Column('branch_id', sa.String(length=16), nullable=True),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('prev', sa.String(length=64), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('status', sa.String(length=64), nullable=False),
    sa.Column('why', sa.String(length=64), nullable=True),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('receipt', sa.Text(), nullable=False),
    sa.CheckConstraint("status IN ('accepted', 'branch', 'held', 'refused')", name=op.f('ck_field_op_status')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_field_op_account_id_account')),
    sa.ForeignKeyConstraint(['batch_id'], ['field_batch.id'], name=op.f('fk_field_op_batch_id_field_batch')),
    sa.ForeignKeyConstraint(['tablet_id'], ['tablet.id'], name=op.f('fk_field_op_tablet_id_tablet')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_field_op')),
    sa.UniqueConstraint('tablet_id', 'sheet_key', 'seq', name=op.f('uq_field_op_tablet_id_sheet_key_seq'))
    )
    with op.batch_alter_table('field_op', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_field_op_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_field_op_batch_id'), ['batch_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_field_op_branch_id'), ['branch_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_field_op_leaf'), ['leaf'], unique=False)
        batch_op.create_index(batch_op.f('ix_field_op_sheet_id'), ['sheet_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_field_op_sheet_key'), ['sheet_key'], unique=False)

    op.create_table('mark_correction',
    sa.Column('round_id', sa.String(length=16), nullable=False),
    sa.Column('run_id', sa.String(length=16), nullable=False),
    sa.Column('subject_id', sa.String(length=16), nullable=False),
    sa.Column('cause', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('asked_by', sa.String(length=16), nullable=True),
    sa.Column('asked_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('confirmed_by', sa.String(length=16), nullable=True),
    sa.Column('confirmed_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('used_run_id', sa.String(length=16), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("cause IN ('adding', 'out_of_range', 'objective_unequal', 'abnormal')", name=op.f('ck_mark_correction_cause')),
    sa.ForeignKeyConstraint(['asked_by'], ['account.id'], name=op.f('fk_mark_correction_asked_by_account')),
    sa.ForeignKeyConstraint(['confirmed_by'], ['account.id'], name=op.f('fk_mark_correction_confirmed_by_account')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_mark_correction_round_id_round')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_mark_correction_run_id_run')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_mark_correction_subject_id_subject')),
    sa.ForeignKeyConstraint(['used_run_id'], ['run.id'], name=op.f('fk_mark_correction_used_run_id_run')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mark_correction'))
    )
    with op.batch_alter_table('mark_correction', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mark_correction_round_id'), ['round_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_mark_correction_used_run_id'), ['used_run_id'], unique=False)

    op.create_table('result_hold',
    sa.Column('round_id', sa.String(length=16), nullable=False),
    sa.Column('run_id', sa.String(length=16), nullable=False),
    sa.Column('subject_id', sa.String(length=16), nullable=True),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('placed_by', sa.String(length=16), nullable=True),
    sa.Column('placed_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('lifted_reason', sa.Text(), nullable=True),
    sa.Column('lifted_by', sa.String(length=16), nullable=True),
    sa.Column('lifted_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("kind IN ('note', 'hold')", name=op.f('ck_result_hold_kind')),
    sa.ForeignKeyConstraint(['lifted_by'], ['account.id'], name=op.f('fk_result_hold_lifted_by_account')),
    sa.ForeignKeyConstraint(['placed_by'], ['account.id'], name=op.f('fk_result_hold_placed_by_account')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_result_hold_round_id_round')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_result_hold_run_id_run')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_result_hold_subject_id_subject')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_result_hold'))
    )
    with op.batch_alter_table('result_hold', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_result_hold_round_id'), ['round_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_result_hold_run_id'), ['run_id'], unique=False)

    op.create_table('result_release',
    sa.Column('round_id', sa.String(length=16), nullable=False),
    sa.Column('run_id', sa.String(length=16), nullable=False),
    sa.Column('proposed_by', sa.String(length=16), nullable=True),
    sa.Column('proposed_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('confirmed_by', sa.String(length=16), nullable=True),
    sa.Column('confirmed_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['confirmed_by'], ['account.id'], name=op.f('fk_result_release_confirmed_by_account')),
    sa.ForeignKeyConstraint(['proposed_by'], ['account.id'], name=op.f('fk_result_release_proposed_by_account')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_result_release_round_id_round')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_result_release_run_id_run')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_result_release')),
    sa.UniqueConstraint('run_id', name=op.f('uq_result_release_run_id'))
    )
    with op.batch_alter_table('result_release', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_result_release_round_id'), ['round_id'], unique=False)

    op.create_table('source_failure',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=False),
    sa.Column('role', sa.String(length=64), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_source_failure_account_id_account')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_source_failure_draw_id_draw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_source_failure')),
    sa.UniqueConstraint('draw_id', 'source', 'role', name=op.f('uq_source_failure_draw_id_source_role'))
    )
    with op.batch_alter_table('source_failure', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_source_failure_draw_id'), ['draw_id'], unique=False)

    op.create_table('draw_refusal',
    sa.Column('round_id', sa.String(length=16), nullable=True),
    sa.Column('draw_id', sa.String(length=16), nullable=True),
    sa.Column('actor_id', sa.String(length=16), nullable=True),
    sa.Column('link_id', sa.String(length=16), nullable=True),
    sa.Column('act', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=False),
    sa.Column('turned_away', sa.Integer(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['actor_id'], ['account.id'], name=op.f('fk_draw_refusal_actor_id_account')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_draw_refusal_draw_id_draw')),
    sa.ForeignKeyConstraint(['link_id'], ['observer_link.id'], name=op.f('fk_draw_refusal_link_id_observer_link')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_draw_refusal_round_id_round')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draw_refusal'))
    )
    with op.batch_alter_table('draw_refusal', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_draw_refusal_draw_id'), ['draw_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_draw_refusal_round_id'), ['round_id'], unique=False)

    op.create_table('field_branch',
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('tablet_id', sa.String(length=16), nullable=False),
    sa.Column('entries', sa.JSON(), nullable=False),
    sa.Column('media', sa.JSON(), nullable=False),
    sa.Column('touched', sa.JSON(), nullable=False),
    sa.Column('opened_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('resolved_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_field_branch_seat_id_seat')),
    sa.ForeignKeyConstraint(['tablet_id'], ['tablet.id'], name=op.f('fk_field_branch_tablet_id_tablet')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_field_branch'))
    )
    with op.batch_alter_table('field_branch', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_field_branch_seat_id'), ['seat_id'], unique=False)

    op.create_table('field_outcome',
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('op_id', sa.String(length=32), nullable=False),
    sa.Column('status', sa.String(length=64), nullable=False),
    sa.Column('why', sa.String(length=64), nullable=True),
    sa.Column('sheet_id', sa.String(length=16), nullable=True),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('leaf', sa.Integer(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.CheckConstraint("status IN ('accepted', 'branch', 'held', 'refused')", name=op.f('ck_field_outcome_status')),
    sa.ForeignKeyConstraint(['op_id'], ['field_op.id'], name=op.f('fk_field_outcome_op_id_field_op')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_field_outcome'))
    )
    with op.batch_alter_table('field_outcome', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_field_outcome_op_id'), ['op_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_field_outcome_sheet_id'), ['sheet_id'], unique=False)

    op.create_table('report_rank_figures',
    sa.Column('report_id', sa.String(length=16), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['report_id'], ['report.id'], name=op.f('fk_report_rank_figures_report_id_report')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_rank_figures')),
    sa.UniqueConstraint('report_id', name=op.f('uq_report_rank_figures_report_id'))
    )
    op.create_table('report_revision',
    sa.Column('report_id', sa.String(length=16), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('by', sa.String(length=16), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['by'], ['account.id'], name=op.f('fk_report_revision_by_account')),
    sa.ForeignKeyConstraint(['report_id'], ['report.id'], name=op.f('fk_report_revision_report_id_report')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_revision')),
    sa.UniqueConstraint('report_id', 'version', name=op.f('uq_report_revision_report_id_version'))
    )
    with op.batch_alter_table('report_revision', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_report_revision_report_id'), ['report_id'], unique=False)

    op.create_table('sheet_hold',
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('tablet_id', sa.String(length=16), nullable=True),
    sa.Column('branches', sa.Integer(), nullable=False),
    sa.Column('since', app.db.Moment(timezone=True), nullable=False),
    sa.Column('paper_id', sa.String(length=16), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_sheet_hold_seat_id_seat')),
    sa.ForeignKeyConstraint(['tablet_id'], ['tablet.id'], name=op.f('fk_sheet_hold_tablet_id_tablet')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sheet_hold')),
    sa.UniqueConstraint('seat_id', 'key', name=op.f('uq_sheet_hold_seat_id_key'))
    )
    with op.batch_alter_table('sheet_hold', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sheet_hold_seat_id'), ['seat_id'], unique=False)

    op.create_table('desk_entry',
    sa.Column('panel_id', sa.String(length=16), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('checked_by', sa.String(length=16), nullable=True),
    sa.Column('checked_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('spare', sa.String(length=200), nullable=False),
    sa.Column('lent_by', sa.String(length=16), nullable=True),
    sa.Column('lent_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('returned_by', sa.String(length=16), nullable=True),
    sa.Column('returned_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['checked_by'], ['account.id'], name=op.f('fk_desk_entry_checked_by_account')),
    sa.ForeignKeyConstraint(['lent_by'], ['account.id'], name=op.f('fk_desk_entry_lent_by_account')),
    sa.ForeignKeyConstraint(['panel_id'], ['panel.id'], name=op.f('fk_desk_entry_panel_id_panel')),
    sa.ForeignKeyConstraint(['returned_by'], ['account.id'], name=op.f('fk_desk_entry_returned_by_account')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_desk_entry_seat_id_seat')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_desk_entry')),
    sa.UniqueConstraint('panel_id', 'seat_id', 'on', name=op.f('uq_desk_entry_panel_id_seat_id_on'))
    )
    with op.batch_alter_table('desk_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_desk_entry_panel_id'), ['panel_id'], unique=False)

    op.create_table('reminder',
    sa.Column('panel_id', sa.String(length=16), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('words', sa.JSON(), nullable=False),
    sa.Column('sent_by', sa.String(length=16), nullable=False),
    sa.Column('sent_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('seen_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_reminder_account_id_account')),
    sa.ForeignKeyConstraint(['panel_id'], ['panel.id'], name=op.f('fk_reminder_panel_id_panel')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_reminder_seat_id_seat')),
    sa.ForeignKeyConstraint(['sent_by'], ['account.id'], name=op.f('fk_reminder_sent_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reminder'))
    )
    with op.batch_alter_table('reminder', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reminder_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_reminder_panel_id'), ['panel_id'], unique=False)

    op.create_table('agenda_run',
    sa.Column('sitting_id', sa.String(length=16), nullable=False),
    sa.Column('steps', sa.JSON(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=64), nullable=False),
    sa.Column('since', app.db.Moment(timezone=True), nullable=True),
    sa.Column('used_ms', sa.Integer(), nullable=False),
    sa.Column('log', sa.JSON(), nullable=False),
    sa.Column('step_began_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("state IN ('running', 'paused', 'over')", name=op.f('ck_agenda_run_state')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sitting.id'], name=op.f('fk_agenda_run_sitting_id_sitting')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_agenda_run')),
    sa.UniqueConstraint('sitting_id', name=op.f('uq_agenda_run_sitting_id'))
    )
    op.create_table('field_held_decision',
    sa.Column('sitting_id', sa.String(length=16), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('first_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('last_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('absence_reason', sa.Text(), nullable=False),
    sa.Column('decision', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.String(length=16), nullable=False),
    sa.Column('decided_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("decision IN ('accepted', 'set_aside')", name=op.f('ck_field_held_decision_decision')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_field_held_decision_account_id_account')),
    sa.ForeignKeyConstraint(['decided_by'], ['account.id'], name=op.f('fk_field_held_decision_decided_by_account')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_field_held_decision_seat_id_seat')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sitting.id'], name=op.f('fk_field_held_decision_sitting_id_sitting')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_field_held_decision'))
    )
    with op.batch_alter_table('field_held_decision', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_field_held_decision_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('field_unlock',
    sa.Column('sitting_id', sa.String(length=16), nullable=False),
    sa.Column('secret', sa.Text(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('made_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['sitting_id'], ['sitting.id'], name=op.f('fk_field_unlock_sitting_id_sitting')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_field_unlock')),
    sa.UniqueConstraint('sitting_id', name=op.f('uq_field_unlock_sitting_id'))
    )
    op.create_table('late_sheet',
    sa.Column('sitting_id', sa.String(length=16), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('tablet_id', sa.String(length=16), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('first_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('last_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('arrived_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('closed_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('decision', sa.String(length=64), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.String(length=16), nullable=True),
    sa.Column('decided_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_late_sheet_account_id_account')),
    sa.ForeignKeyConstraint(['decided_by'], ['account.id'], name=op.f('fk_late_sheet_decided_by_account')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_late_sheet_seat_id_seat')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sitting.id'], name=op.f('fk_late_sheet_sitting_id_sitting')),
    sa.ForeignKeyConstraint(['tablet_id'], ['tablet.id'], name=op.f('fk_late_sheet_tablet_id_tablet')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_late_sheet'))
    )
    with op.batch_alter_table('late_sheet', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_late_sheet_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('paper_sheet',
    sa.Column('sitting_id', sa.String(length=16), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('sheet_id', sa.String(length=16), nullable=False),
    sa.Column('replaced', sa.JSON(), nullable=False),
    sa.Column('started_by', sa.String(length=16), nullable=False),
    sa.Column('started_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('first_by', sa.String(length=16), nullable=True),
    sa.Column('first_name', sa.String(length=200), nullable=False),
    sa.Column('first_entries', sa.JSON(), nullable=False),
    sa.Column('first_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('second_by', sa.String(length=16), nullable=True),
    sa.Column('second_name', sa.String(length=200), nullable=False),
    sa.Column('second_entries', sa.JSON(), nullable=False),
    sa.Column('second_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('scan_sha256', sa.String(length=64), nullable=True),
    sa.Column('scan_mime', sa.String(length=64), nullable=True),
    sa.Column('scan_name', sa.String(length=200), nullable=True),
    sa.Column('scan_by', sa.String(length=16), nullable=True),
    sa.Column('scan_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('picks', sa.JSON(), nullable=False),
    sa.Column('settled', sa.JSON(), nullable=False),
    sa.Column('settled_by', sa.String(length=16), nullable=True),
    sa.Column('settled_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('sealed_by', sa.String(length=16), nullable=True),
    sa.Column('sealed_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('objection', sa.Text(), nullable=True),
    sa.Column('objected_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('objection_decision', sa.String(length=64), nullable=True),
    sa.Column('objection_reason', sa.Text(), nullable=True),
    sa.Column('objection_decided_by', sa.String(length=16), nullable=True),
    sa.Column('objection_decided_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('given_up_by', sa.String(length=16), nullable=True),
    sa.Column('given_up_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('given_up_reason', sa.Text(), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['first_by'], ['account.id'], name=op.f('fk_paper_sheet_first_by_account')),
    sa.ForeignKeyConstraint(['given_up_by'], ['account.id'], name=op.f('fk_paper_sheet_given_up_by_account')),
    sa.ForeignKeyConstraint(['objection_decided_by'], ['account.id'], name=op.f('fk_paper_sheet_objection_decided_by_account')),
    sa.ForeignKeyConstraint(['scan_by'], ['account.id'], name=op.f('fk_paper_sheet_scan_by_account')),
    sa.ForeignKeyConstraint(['sealed_by'], ['account.id'], name=op.f('fk_paper_sheet_sealed_by_account')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_paper_sheet_seat_id_seat')),
    sa.ForeignKeyConstraint(['second_by'], ['account.id'], name=op.f('fk_paper_sheet_second_by_account')),
    sa.ForeignKeyConstraint(['settled_by'], ['account.id'], name=op.f('fk_paper_sheet_settled_by_account')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sitting.id'], name=op.f('fk_paper_sheet_sitting_id_sitting')),
    sa.ForeignKeyConstraint(['started_by'], ['account.id'], name=op.f('fk_paper_sheet_started_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_sheet'))
    )
    with op.batch_alter_table('paper_sheet', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_paper_sheet_seat_id'), ['seat_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_paper_sheet_sheet_id'), ['sheet_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_paper_sheet_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('sitting_extension',
    sa.Column('sitting_id', sa.String(length=16), nullable=False),
    sa.Column('closes_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('before', app.db.Moment(timezone=True), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('seats', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=64), nullable=False),
    sa.Column('proposed_by', sa.String(length=16), nullable=False),
    sa.Column('proposed_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('decided_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("state IN ('set', 'open', 'carried', 'lost')", name=op.f('ck_sitting_extension_state')),
    sa.ForeignKeyConstraint(['proposed_by'], ['account.id'], name=op.f('fk_sitting_extension_proposed_by_account')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sitting.id'], name=op.f('fk_sitting_extension_sitting_id_sitting')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sitting_extension'))
    )
    with op.batch_alter_table('sitting_extension', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sitting_extension_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('statement_bookmark',
    sa.Column('sitting_id', sa.String(length=16), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('item', sa.String(length=64), nullable=False),
    sa.Column('words', sa.String(length=200), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_statement_bookmark_seat_id_seat')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sitting.id'], name=op.f('fk_statement_bookmark_sitting_id_sitting')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_statement_bookmark'))
    )
    with op.batch_alter_table('statement_bookmark', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_statement_bookmark_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('run_flag',
    sa.Column('round_id', sa.String(length=16), nullable=False),
    sa.Column('run_id', sa.String(length=16), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('rule', sa.String(length=64), nullable=False),
    sa.Column('level', sa.String(length=64), nullable=False),
    sa.Column('stage', sa.String(length=64), nullable=True),
    sa.Column('subject_id', sa.String(length=16), nullable=True),
    sa.Column('seat_id', sa.String(length=16), nullable=True),
    sa.Column('other_seat_id', sa.String(length=16), nullable=True),
    sa.Column('sheet_id', sa.String(length=16), nullable=True),
    sa.Column('numbers', sa.JSON(), nullable=False),
    sa.Column('false_alarm', sa.JSON(), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['other_seat_id'], ['seat.id'], name=op.f('fk_run_flag_other_seat_id_seat')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_run_flag_round_id_round')),
    sa.ForeignKeyConstraint(['run_id'], ['run.id'], name=op.f('fk_run_flag_run_id_run')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_run_flag_seat_id_seat')),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheet.id'], name=op.f('fk_run_flag_sheet_id_sheet')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_run_flag_subject_id_subject')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_run_flag')),
    sa.UniqueConstraint('run_id', 'number', name=op.f('uq_run_flag_run_id_number'))
    )
    with op.batch_alter_table('run_flag', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_run_flag_key'), ['key'], unique=False)
        batch_op.create_index(batch_op.f('ix_run_flag_other_seat_id'), ['other_seat_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_run_flag_round_id'), ['round_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_run_flag_run_id'), ['run_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_run_flag_seat_id'), ['seat_id'], unique=False)

    op.create_table('sitting_extension_vote',
    sa.Column('extension_id', sa.String(length=16), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('answer', sa.String(length=64), nullable=False),
    sa.Column('voted_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("answer IN ('yes', 'no')", name=op.f('ck_sitting_extension_vote_answer')),
    sa.ForeignKeyConstraint(['extension_id'], ['sitting_extension.id'], name=op.f('fk_sitting_extension_vote_extension_id_sitting_extension')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_sitting_extension_vote_seat_id_seat')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sitting_extension_vote')),
    sa.UniqueConstraint('extension_id', 'seat_id', name=op.f('uq_sitting_extension_vote_extension_id_seat_id'))
    )
    with op.batch_alter_table('sitting_extension_vote', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sitting_extension_vote_extension_id'), ['extension_id'], unique=False)

    op.create_table('statement_file',
    sa.Column('statement_id', sa.String(length=16), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('mime', sa.String(length=200), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('added_by', sa.String(length=16), nullable=False),
    sa.Column('added_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("kind IN ('proxy', 'attachment')", name=op.f('ck_statement_file_kind')),
    sa.ForeignKeyConstraint(['added_by'], ['account.id'], name=op.f('fk_statement_file_added_by_account')),
    sa.ForeignKeyConstraint(['statement_id'], ['statement.id'], name=op.f('fk_statement_file_statement_id_statement')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_statement_file')),
    sa.UniqueConstraint('statement_id', 'kind', 'sha256', name=op.f('uq_statement_file_statement_id_kind_sha256'))
    )
    with op.batch_alter_table('statement_file', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_statement_file_statement_id'), ['statement_id'], unique=False)

    op.create_table('statement_recording',
    sa.Column('statement_id', sa.String(length=16), nullable=False),
    sa.Column('origin', sa.String(length=64), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('manifest', sa.String(length=64), nullable=False),
    sa.Column('pieces', sa.Integer(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('mime', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('duration_ms', sa.Integer(), nullable=True),
    sa.Column('began_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('arrived_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("origin IN ('recorded', 'uploaded')", name=op.f('ck_statement_recording_origin')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_statement_recording_account_id_account')),
    sa.ForeignKeyConstraint(['statement_id'], ['statement.id'], name=op.f('fk_statement_recording_statement_id_statement')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_statement_recording')),
    sa.UniqueConstraint('statement_id', 'sha256', name=op.f('uq_statement_recording_statement_id_sha256'))
    )
    with op.batch_alter_table('statement_recording', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_statement_recording_statement_id'), ['statement_id'], unique=False)

    op.create_table('flag_answer',
    sa.Column('flag_id', sa.String(length=16), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('by', sa.String(length=16), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['by'], ['account.id'], name=op.f('fk_flag_answer_by_account')),
    sa.ForeignKeyConstraint(['flag_id'], ['run_flag.id'], name=op.f('fk_flag_answer_flag_id_run_flag')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_flag_answer_seat_id_seat')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_flag_answer')),
    sa.UniqueConstraint('key', 'seat_id', name=op.f('uq_flag_answer_key_seat_id'))
    )
    with op.batch_alter_table('flag_answer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_flag_answer_flag_id'), ['flag_id'], unique=False)

    op.create_table('flag_decision',
    sa.Column('flag_id', sa.String(length=16), nullable=False),
    sa.Column('key', sa.String(length=64), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('outcome', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('by', sa.String(length=16), nullable=True),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("outcome IN ('keep', 'calibrate', 'exclude')", name=op.f('ck_flag_decision_outcome')),
    sa.ForeignKeyConstraint(['by'], ['account.id'], name=op.f('fk_flag_decision_by_account')),
    sa.ForeignKeyConstraint(['flag_id'], ['run_flag.id'], name=op.f('fk_flag_decision_flag_id_run_flag')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_flag_decision')),
    sa.UniqueConstraint('key', 'number', name=op.f('uq_flag_decision_key_number'))
    )
    with op.batch_alter_table('flag_decision', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_flag_decision_flag_id'), ['flag_id'], unique=False)

    op.create_table('statement_listening',
    sa.Column('recording_id', sa.String(length=16), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('opened_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_statement_listening_account_id_account')),
    sa.ForeignKeyConstraint(['recording_id'], ['statement_recording.id'], name=op.f('fk_statement_listening_recording_id_statement_recording')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_statement_listening'))
    )
    with op.batch_alter_table('statement_listening', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_statement_listening_recording_id'), ['recording_id'], unique=False)

    op.create_table('statement_mark',
    sa.Column('statement_id', sa.String(length=16), nullable=False),
    sa.Column('recording_id', sa.String(length=16), nullable=True),
    sa.Column('place', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('at_ms', sa.Integer(), nullable=True),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('words', sa.String(length=200), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['recording_id'], ['statement_recording.id'], name=op.f('fk_statement_mark_recording_id_statement_recording')),
    sa.ForeignKeyConstraint(['statement_id'], ['statement.id'], name=op.f('fk_statement_mark_statement_id_statement')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_statement_mark'))
    )
    with op.batch_alter_table('statement_mark', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_statement_mark_recording_id'), ['recording_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_statement_mark_statement_id'), ['statement_id'], unique=False)

    with op.batch_alter_table('expert', schema=None) as batch_op:
        batch_op.add_column(sa.Column('merged_into', sa.String(length=16), nullable=True))
        batch_op.create_index(batch_op.f('ix_expert_merged_into'), ['merged_into'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_expert_merged_into_expert'), 'expert', ['merged_into'], ['id'])

    with op.batch_alter_table('material', schema=None) as batch_op:
        batch_op.alter_column('mime',
               existing_type=sa.VARCHAR(length=64),
               type_=sa.String(length=200),
               existing_nullable=False)

    with op.batch_alter_table('opinion', schema=None) as batch_op:
        batch_op.add_column(sa.Column('confirmed_by', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('confirmed_at', app.db.Moment(timezone=True), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_opinion_confirmed_by_account'), 'account', ['confirmed_by'], ['id'])

    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.add_column(sa.Column('merged_into', sa.String(length=16), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_person_merged_into_person'), 'person', ['merged_into'], ['id'])

    with op.batch_alter_table('reset_request', schema=None) as batch_op:
        batch_op.add_column(sa.Column('seen_by', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('seen_at', app.db.Moment(timezone=True), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_reset_request_seen_by_account'), 'account', ['seen_by'], ['id'])

    with op.batch_alter_table('round', schema=None) as batch_op:
        batch_op.add_column(sa.Column('discarded_at', app.db.Moment(timezone=True), nullable=True))

    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.add_column(sa.Column('tablet_id', sa.String(length=16), nullable=True))
        batch_op.create_index(batch_op.f('ix_sign_in_tablet_id'), ['tablet_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_sign_in_tablet_id_tablet'), 'tablet', ['tablet_id'], ['id'])

    with op.batch_alter_table('statement', schema=None) as batch_op:
        batch_op.add_column(sa.Column('identity', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('consent_at', app.db.Moment(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('consent_digest', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('consent_by', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('challenge_until', app.db.Moment(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('confirmed_name', sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column('signature', sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column('receipt', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('receipt_seq', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_statement_consent_by_account'), 'account', ['consent_by'], ['id'])


    for table in APPEND_ONLY:
        for statement in append_only_ddl(table, op.get_bind().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table('statement', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_statement_consent_by_account'), type_='foreignkey')
        batch_op.drop_column('receipt_seq')
        batch_op.drop_column('receipt')
        batch_op.drop_column('signature')
        batch_op.drop_column('confirmed_name')
        batch_op.drop_column('challenge_until')
        batch_op.drop_column('consent_by')
        batch_op.drop_column('consent_digest')
        batch_op.drop_column('consent_at')
        batch_op.drop_column('identity')

    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_sign_in_tablet_id_tablet'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_sign_in_tablet_id'))
        batch_op.drop_column('tablet_id')

    with op.batch_alter_table('round', schema=None) as batch_op:
        batch_op.drop_column('discarded_at')

    with op.batch_alter_table('reset_request', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_reset_request_seen_by_account'), type_='foreignkey')
        batch_op.drop_column('seen_at')
        batch_op.drop_column('seen_by')

    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_person_merged_into_person'), type_='foreignkey')
        batch_op.drop_column('merged_into')

    with op.batch_alter_table('opinion', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_opinion_confirmed_by_account'), type_='foreignkey')
        batch_op.drop_column('confirmed_at')
        batch_op.drop_column('confirmed_by')

    with op.batch_alter_table('material', schema=None) as batch_op:
        batch_op.alter_column('mime',
               existing_type=sa.String(length=200),
               type_=sa.VARCHAR(length=64),
               existing_nullable=False)

    with op.batch_alter_table('expert', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_expert_merged_into_expert'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_expert_merged_into'))
        batch_op.drop_column('merged_into')

    with op.batch_alter_table('statement_mark', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_statement_mark_statement_id'))
        batch_op.drop_index(batch_op.f('ix_statement_mark_recording_id'))

    op.drop_table('statement_mark')
    with op.batch_alter_table('statement_listening', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_statement_listening_recording_id'))

    op.drop_table('statement_listening')
    with op.batch_alter_table('flag_decision', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_flag_decision_flag_id'))

    op.drop_table('flag_decision')
    with op.batch_alter_table('flag_answer', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_flag_answer_flag_id'))

    op.drop_table('flag_answer')
    with op.batch_alter_table('statement_recording', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_statement_recording_statement_id'))

    op.drop_table('statement_recording')
    with op.batch_alter_table('statement_file', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_statement_file_statement_id'))

    op.drop_table('statement_file')
    with op.batch_alter_table('sitting_extension_vote', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sitting_extension_vote_extension_id'))

    op.drop_table('sitting_extension_vote')
    with op.batch_alter_table('run_flag', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_run_flag_seat_id'))
        batch_op.drop_index(batch_op.f('ix_run_flag_run_id'))
        batch_op.drop_index(batch_op.f('ix_run_flag_round_id'))
        batch_op.drop_index(batch_op.f('ix_run_flag_other_seat_id'))
        batch_op.drop_index(batch_op.f('ix_run_flag_key'))

    op.drop_table('run_flag')
    with op.batch_alter_table('statement_bookmark', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_statement_bookmark_sitting_id'))

    op.drop_table('statement_bookmark')
    with op.batch_alter_table('sitting_extension', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sitting_extension_sitting_id'))

    op.drop_table('sitting_extension')
    with op.batch_alter_table('paper_sheet', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_paper_sheet_sitting_id'))
        batch_op.drop_index(batch_op.f('ix_paper_sheet_sheet_id'))
        batch_op.drop_index(batch_op.f('ix_paper_sheet_seat_id'))

    op.drop_table('paper_sheet')
    with op.batch_alter_table('late_sheet', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_late_sheet_sitting_id'))

    op.drop_table('late_sheet')
    op.drop_table('field_unlock')
    with op.batch_alter_table('field_held_decision', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_field_held_decision_sitting_id'))

    op.drop_table('field_held_decision')
    op.drop_table('agenda_run')
    with op.batch_alter_table('reminder', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_reminder_panel_id'))
        batch_op.drop_index(batch_op.f('ix_reminder_account_id'))

    op.drop_table('reminder')
    with op.batch_alter_table('desk_entry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_desk_entry_panel_id'))

    op.drop_table('desk_entry')
    with op.batch_alter_table('sheet_hold', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sheet_hold_seat_id'))

    op.drop_table('sheet_hold')
    with op.batch_alter_table('report_revision', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_report_revision_report_id'))

    op.drop_table('report_revision')
    op.drop_table('report_rank_figures')
    with op.batch_alter_table('field_outcome', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_field_outcome_sheet_id'))
        batch_op.drop_index(batch_op.f('ix_field_outcome_op_id'))

    op.drop_table('field_outcome')
    with op.batch_alter_table('field_branch', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_field_branch_seat_id'))

    op.drop_table('field_branch')
    with op.batch_alter_table('draw_refusal', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_draw_refusal_round_id'))
        batch_op.drop_index(batch_op.f('ix_draw_refusal_draw_id'))

    op.drop_table('draw_refusal')
    with op.batch_alter_table('source_failure', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_source_failure_draw_id'))

    op.drop_table('source_failure')
    with op.batch_alter_table('result_release', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_result_release_round_id'))

    op.drop_table('result_release')
    with op.batch_alter_table('result_hold', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_result_hold_run_id'))
        batch_op.drop_index(batch_op.f('ix_result_hold_round_id'))

    op.drop_table('result_hold')
    with op.batch_alter_table('mark_correction', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_mark_correction_used_run_id'))
        batch_op.drop_index(batch_op.f('ix_mark_correction_round_id'))

    op.drop_table('mark_correction')
    with op.batch_alter_table('field_op', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_field_op_sheet_key'))
        batch_op.drop_index(batch_op.f('ix_field_op_sheet_id'))
        batch_op.drop_index(batch_op.f('ix_field_op_leaf'))
        batch_op.drop_index(batch_op.f('ix_field_op_branch_id'))
        batch_op.drop_index(batch_op.f('ix_field_op_batch_id'))
        batch_op.drop_index(batch_op.f('ix_field_op_account_id'))

    op.drop_table('field_op')
    op.drop_table('draw_work')
    with op.batch_alter_table('draw_release', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_draw_release_used_purpose'))
        batch_op.drop_index('ix_draw_release_one_open', sqlite_where=sa.text("state IN ('asked', 'released')"), postgresql_where=sa.text("state IN ('asked', 'released')"))
        batch_op.drop_index(batch_op.f('ix_draw_release_draw_id'))

    op.drop_table('draw_release')
    with op.batch_alter_table('calibration_meeting', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_calibration_meeting_run_id'))

    op.drop_table('calibration_meeting')
    with op.batch_alter_table('tablet_nonce', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tablet_nonce_tablet_id'))

    op.drop_table('tablet_nonce')
    with op.batch_alter_table('score_rule_change', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_score_rule_change_round_id'))

    op.drop_table('score_rule_change')
    with op.batch_alter_table('past_panel', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_past_panel_region_code'))
        batch_op.drop_index(batch_op.f('ix_past_panel_expert_id'))

    op.drop_table('past_panel')
    with op.batch_alter_table('media_file', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_media_file_sha256'))
        batch_op.drop_index(batch_op.f('ix_media_file_account_id'))

    op.drop_table('media_file')
    with op.batch_alter_table('field_batch', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_field_batch_tablet_id'))
        batch_op.drop_index(batch_op.f('ix_field_batch_leaf'))

    op.drop_table('field_batch')
    with op.batch_alter_table('expert_correction', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_expert_correction_expert_id'))

    op.drop_table('expert_correction')
    with op.batch_alter_table('tablet', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tablet_account_id'))

    op.drop_table('tablet')
    op.drop_table('column_map')
    with op.batch_alter_table('former_value', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_former_value_person_id'))

    op.drop_table('former_value')
    with op.batch_alter_table('field_signature', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_field_signature_op_id'))

    op.drop_table('field_signature')
    if op.get_bind().dialect.name == 'postgresql':
        for table in APPEND_ONLY:
            op.execute(f'DROP FUNCTION {table}_refuse()')
