"""ceremony, calls, registers, case files

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

import app.db

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('contractor',
    sa.Column('region_code', sa.String(length=64), nullable=False),
    sa.Column('organisation_id', sa.String(length=16), nullable=True),
    sa.Column('work', sa.String(length=200), nullable=False),
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
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_contractor_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['recorded_by'], ['account.id'], name=op.f('fk_contractor_recorded_by_account')),
    sa.ForeignKeyConstraint(['struck_by'], ['account.id'], name=op.f('fk_contractor_struck_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contractor'))
    )
    with op.batch_alter_table('contractor', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_contractor_region_code'), ['region_code'], unique=False)

    op.create_table('county_head',
    sa.Column('region_code', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('post', sa.String(length=200), nullable=False),
    sa.Column('person_id', sa.String(length=16), nullable=True),
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
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_county_head_person_id_person')),
    sa.ForeignKeyConstraint(['recorded_by'], ['account.id'], name=op.f('fk_county_head_recorded_by_account')),
    sa.ForeignKeyConstraint(['struck_by'], ['account.id'], name=op.f('fk_county_head_struck_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_county_head'))
    )
    with op.batch_alter_table('county_head', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_county_head_region_code'), ['region_code'], unique=False)

    op.create_table('device_key',
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('public', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('label', sa.String(length=200), nullable=False),
    sa.Column('registered_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('revoked_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('revoke_reason', sa.String(length=200), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_device_key_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_device_key')),
    sa.UniqueConstraint('public', name=op.f('uq_device_key_public'))
    )
    with op.batch_alter_table('device_key', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_device_key_account_id'), ['account_id'], unique=False)
        batch_op.create_index('ix_device_key_one_active', ['account_id'], unique=True, sqlite_where=sa.text('revoked_at IS NULL'), postgresql_where=sa.text('revoked_at IS NULL'))

    op.create_table('envelope',
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('code_hash', sa.Text(), nullable=False),
    sa.Column('made_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('used_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('replaced_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_envelope_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_envelope'))
    )
    with op.batch_alter_table('envelope', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_envelope_account_id'), ['account_id'], unique=False)

    op.create_table('paper_head',
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('root', sa.String(length=64), nullable=False),
    sa.Column('source', sa.String(length=200), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint('size >= 0', name=op.f('ck_paper_head_size')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_paper_head_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper_head')),
    sa.UniqueConstraint('account_id', 'size', 'root', name=op.f('uq_paper_head_account_id_size_root'))
    )
    with op.batch_alter_table('paper_head', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_paper_head_account_id'), ['account_id'], unique=False)

    op.create_table('request_template',
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('saved_by', sa.String(length=16), nullable=True),
    sa.Column('saved_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['saved_by'], ['account.id'], name=op.f('fk_request_template_saved_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_request_template')),
    sa.UniqueConstraint('name', name=op.f('uq_request_template_name'))
    )
    op.create_table('supervising_body',
    sa.Column('organisation_id', sa.String(length=16), nullable=False),
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
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_supervising_body_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['recorded_by'], ['account.id'], name=op.f('fk_supervising_body_recorded_by_account')),
    sa.ForeignKeyConstraint(['struck_by'], ['account.id'], name=op.f('fk_supervising_body_struck_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_supervising_body'))
    )
    op.create_table('reset_request',
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('means', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('proposed_by', sa.String(length=16), nullable=False),
    sa.Column('proposed_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('expires_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('half_hash', sa.Text(), nullable=True),
    sa.Column('decision', sa.String(), nullable=True),
    sa.Column('decided_by', sa.String(length=16), nullable=True),
    sa.Column('decided_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('invitation_id', sa.String(length=16), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("decision IN ('confirmed', 'refused')", name=op.f('ck_reset_request_decision')),
    sa.CheckConstraint("means IN ('direct', 'supervisor', 'envelope')", name=op.f('ck_reset_request_means')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_reset_request_account_id_account')),
    sa.ForeignKeyConstraint(['decided_by'], ['account.id'], name=op.f('fk_reset_request_decided_by_account')),
    sa.ForeignKeyConstraint(['invitation_id'], ['invitation.id'], name=op.f('fk_reset_request_invitation_id_invitation')),
    sa.ForeignKeyConstraint(['proposed_by'], ['account.id'], name=op.f('fk_reset_request_proposed_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reset_request')),
    sa.UniqueConstraint('invitation_id', name=op.f('uq_reset_request_invitation_id'))
    )
    with op.batch_alter_table('reset_request', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reset_request_account_id'), ['account_id'], unique=False)

    op.create_table('residence',
    sa.Column('expert_id', sa.String(length=16), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('region_code', sa.String(length=64), nullable=False),
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
    sa.CheckConstraint("kind IN ('birthplace', 'residence')", name=op.f('ck_residence_kind')),
    sa.ForeignKeyConstraint(['expert_id'], ['expert.id'], name=op.f('fk_residence_expert_id_expert')),
    sa.ForeignKeyConstraint(['recorded_by'], ['account.id'], name=op.f('fk_residence_recorded_by_account')),
    sa.ForeignKeyConstraint(['struck_by'], ['account.id'], name=op.f('fk_residence_struck_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_residence'))
    )
    with op.batch_alter_table('residence', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_residence_expert_id'), ['expert_id'], unique=False)

    op.create_table('rule_change',
    sa.Column('round_id', sa.String(length=16), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('rule_id', sa.String(length=64), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('after', sa.JSON(), nullable=False),
    sa.Column('before_digest', sa.String(length=64), nullable=False),
    sa.Column('after_digest', sa.String(length=64), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('changed_by', sa.String(length=16), nullable=True),
    sa.Column('changed_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['changed_by'], ['account.id'], name=op.f('fk_rule_change_changed_by_account')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_rule_change_round_id_round')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rule_change')),
    sa.UniqueConstraint('round_id', 'number', name=op.f('uq_rule_change_round_id_number'))
    )
    with op.batch_alter_table('rule_change', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_rule_change_after_digest'), ['after_digest'], unique=False)
        batch_op.create_index(batch_op.f('ix_rule_change_before_digest'), ['before_digest'], unique=False)
        batch_op.create_index(batch_op.f('ix_rule_change_round_id'), ['round_id'], unique=False)

    op.create_table('tie_statement',
    sa.Column('expert_id', sa.String(length=16), nullable=False),
    sa.Column('topics', sa.JSON(), nullable=False),
    sa.Column('text_digest', sa.String(length=64), nullable=False),
    sa.Column('signed_name', sa.String(length=200), nullable=False),
    sa.Column('signed_on', sa.Date(), nullable=False),
    sa.Column('paper', sa.String(length=200), nullable=False),
    sa.Column('recorded_by', sa.String(length=16), nullable=True),
    sa.Column('recorded_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['expert_id'], ['expert.id'], name=op.f('fk_tie_statement_expert_id_expert')),
    sa.ForeignKeyConstraint(['recorded_by'], ['account.id'], name=op.f('fk_tie_statement_recorded_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tie_statement'))
    )
    with op.batch_alter_table('tie_statement', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tie_statement_expert_id'), ['expert_id'], unique=False)

    op.create_table('call_plan',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('meets_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('place_kind', sa.String(length=64), nullable=False),
    sa.Column('half_days', sa.Integer(), nullable=False),
    sa.Column('reply_to', sa.String(length=200), nullable=False),
    sa.Column('reply_hours', sa.Integer(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('made_by', sa.String(length=16), nullable=True),
    sa.Column('made_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint('half_days >= 1 AND attempts >= 1 AND reply_hours >= 1', name=op.f('ck_call_plan_counts')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_call_plan_draw_id_draw')),
    sa.ForeignKeyConstraint(['made_by'], ['account.id'], name=op.f('fk_call_plan_made_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_call_plan')),
    sa.UniqueConstraint('draw_id', name=op.f('uq_call_plan_draw_id'))
    )
    op.create_table('case_file',
    sa.Column('subject_id', sa.String(length=16), nullable=False),
    sa.Column('kind', sa.String(length=64), nullable=False),
    sa.Column('number', sa.String(length=200), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('on', sa.Date(), nullable=False),
    sa.Column('entered_by', sa.String(length=16), nullable=True),
    sa.Column('entered_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('withdrawn_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('withdrawn_reason', sa.Text(), nullable=False),
    sa.Column('code', sa.String(length=64), nullable=True),
    sa.Column('sampled', sa.Boolean(), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['entered_by'], ['account.id'], name=op.f('fk_case_file_entered_by_account')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_case_file_subject_id_subject')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_case_file')),
    sa.UniqueConstraint('subject_id', 'number', name=op.f('uq_case_file_subject_id_number'))
    )
    with op.batch_alter_table('case_file', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_case_file_subject_id'), ['subject_id'], unique=False)

    op.create_table('case_list',
    sa.Column('subject_id', sa.String(length=16), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('closed_by', sa.String(length=16), nullable=True),
    sa.Column('closed_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('seed', sa.String(length=200), nullable=True),
    sa.Column('seed_source', sa.String(length=200), nullable=False),
    sa.Column('drawn_by', sa.String(length=16), nullable=True),
    sa.Column('drawn_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('ceremony', sa.JSON(), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['closed_by'], ['account.id'], name=op.f('fk_case_list_closed_by_account')),
    sa.ForeignKeyConstraint(['drawn_by'], ['account.id'], name=op.f('fk_case_list_drawn_by_account')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_case_list_subject_id_subject')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_case_list')),
    sa.UniqueConstraint('subject_id', name=op.f('uq_case_list_subject_id'))
    )
    op.create_table('cosignature',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('act', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('device_key_id', sa.String(length=16), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_cosignature_account_id_account')),
    sa.ForeignKeyConstraint(['device_key_id'], ['device_key.id'], name=op.f('fk_cosignature_device_key_id_device_key')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_cosignature_draw_id_draw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_cosignature')),
    sa.UniqueConstraint('draw_id', 'act', name=op.f('uq_cosignature_draw_id_act'))
    )
    with op.batch_alter_table('cosignature', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_cosignature_draw_id'), ['draw_id'], unique=False)

    op.create_table('dice_photo',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('mime', sa.String(length=64), nullable=False),
    sa.Column('by', sa.String(length=16), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['by'], ['account.id'], name=op.f('fk_dice_photo_by_account')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_dice_photo_draw_id_draw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dice_photo')),
    sa.UniqueConstraint('draw_id', 'source', name=op.f('uq_dice_photo_draw_id_source'))
    )
    with op.batch_alter_table('dice_photo', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dice_photo_draw_id'), ['draw_id'], unique=False)

    op.create_table('draw_abort',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('state', sa.String(length=64), nullable=False),
    sa.Column('cause', sa.String(length=64), nullable=False),
    sa.Column('by', sa.String(length=16), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['by'], ['account.id'], name=op.f('fk_draw_abort_by_account')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_draw_abort_draw_id_draw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draw_abort')),
    sa.UniqueConstraint('draw_id', name=op.f('uq_draw_abort_draw_id'))
    )
    op.create_table('draw_disclosure',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.Boolean(), nullable=False),
    sa.Column('caller_id', sa.String(length=16), nullable=True),
    sa.Column('until', sa.String(length=64), nullable=False),
    sa.Column('opens_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('opened_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('opened_by', sa.String(length=16), nullable=True),
    sa.Column('chosen_by', sa.String(length=16), nullable=True),
    sa.Column('chosen_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("until IN ('published', 'moment')", name=op.f('ck_draw_disclosure_until')),
    sa.ForeignKeyConstraint(['caller_id'], ['account.id'], name=op.f('fk_draw_disclosure_caller_id_account')),
    sa.ForeignKeyConstraint(['chosen_by'], ['account.id'], name=op.f('fk_draw_disclosure_chosen_by_account')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_draw_disclosure_draw_id_draw')),
    sa.ForeignKeyConstraint(['opened_by'], ['account.id'], name=op.f('fk_draw_disclosure_opened_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draw_disclosure')),
    sa.UniqueConstraint('draw_id', name=op.f('uq_draw_disclosure_draw_id'))
    )
    op.create_table('draw_opening',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('codes', sa.JSON(), nullable=False),
    sa.Column('identities', sa.Text(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_draw_opening_draw_id_draw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draw_opening')),
    sa.UniqueConstraint('draw_id', name=op.f('uq_draw_opening_draw_id'))
    )
    op.create_table('given_mark',
    sa.Column('subject_id', sa.String(length=16), nullable=False),
    sa.Column('place', sa.String(length=64), nullable=False),
    sa.Column('item', sa.String(length=64), nullable=False),
    sa.Column('entry', sa.JSON(), nullable=False),
    sa.Column('materials', sa.JSON(), nullable=False),
    sa.Column('evidence', sa.Text(), nullable=False),
    sa.Column('instrument_digest', sa.String(length=64), nullable=False),
    sa.Column('entered_by', sa.String(length=16), nullable=True),
    sa.Column('entered_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('confirmed_by', sa.String(length=16), nullable=True),
    sa.Column('confirmed_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['confirmed_by'], ['account.id'], name=op.f('fk_given_mark_confirmed_by_account')),
    sa.ForeignKeyConstraint(['entered_by'], ['account.id'], name=op.f('fk_given_mark_entered_by_account')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_given_mark_subject_id_subject')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_given_mark')),
    sa.UniqueConstraint('subject_id', 'place', 'item', name=op.f('uq_given_mark_subject_id_place_item'))
    )
    with op.batch_alter_table('given_mark', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_given_mark_subject_id'), ['subject_id'], unique=False)

    op.create_table('observer_link',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('made_by', sa.String(length=16), nullable=False),
    sa.Column('made_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('ended_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_observer_link_draw_id_draw')),
    sa.ForeignKeyConstraint(['made_by'], ['account.id'], name=op.f('fk_observer_link_made_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_observer_link')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_observer_link_token_hash'))
    )
    with op.batch_alter_table('observer_link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_observer_link_draw_id'), ['draw_id'], unique=False)
        batch_op.create_index('ix_observer_link_one_live', ['draw_id'], unique=True, sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))

    op.create_table('order_item',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('pseudonym', sa.String(length=64), nullable=False),
    sa.Column('leaf_salt', sa.String(length=64), nullable=False),
    sa.Column('thing_kind', sa.String(length=64), nullable=False),
    sa.Column('thing_id', sa.String(length=16), nullable=False),
    sa.Column('label', sa.String(length=200), nullable=False),
    sa.Column('label_en', sa.String(length=200), nullable=False),
    sa.Column('position', sa.Integer(), nullable=True),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("thing_kind IN ('county', 'case_file')", name=op.f('ck_order_item_thing_kind')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_order_item_draw_id_draw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_order_item')),
    sa.UniqueConstraint('draw_id', 'position', name=op.f('uq_order_item_draw_id_position')),
    sa.UniqueConstraint('draw_id', 'pseudonym', name=op.f('uq_order_item_draw_id_pseudonym')),
    sa.UniqueConstraint('draw_id', 'thing_kind', 'thing_id', name=op.f('uq_order_item_draw_id_thing_kind_thing_id'))
    )
    with op.batch_alter_table('order_item', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_order_item_draw_id'), ['draw_id'], unique=False)

    op.create_table('typing',
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('source', sa.String(length=64), nullable=False),
    sa.Column('role', sa.String(length=64), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('values', sa.Text(), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_typing_account_id_account')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_typing_draw_id_draw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_typing')),
    sa.UniqueConstraint('draw_id', 'source', 'role', name=op.f('uq_typing_draw_id_source_role'))
    )
    with op.batch_alter_table('typing', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_typing_draw_id'), ['draw_id'], unique=False)

    op.create_table('vacancy',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('root_id', sa.String(length=16), nullable=False),
    sa.Column('panel', sa.String(length=64), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('purpose_key', sa.String(length=64), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_vacancy_draw_id_draw')),
    sa.ForeignKeyConstraint(['root_id'], ['draw.id'], name=op.f('fk_vacancy_root_id_draw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_vacancy')),
    sa.UniqueConstraint('draw_id', 'panel', 'number', name=op.f('uq_vacancy_draw_id_panel_number'))
    )
    with op.batch_alter_table('vacancy', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_vacancy_draw_id'), ['draw_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_vacancy_purpose_key'), ['purpose_key'], unique=False)
        batch_op.create_index(batch_op.f('ix_vacancy_root_id'), ['root_id'], unique=False)

    op.create_table('what_if',
    sa.Column('draw_id', sa.String(length=16), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('actor_id', sa.String(length=16), nullable=True),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('request_digest', sa.String(length=64), nullable=False),
    sa.Column('pool_digest', sa.String(length=64), nullable=False),
    sa.Column('ledger_size', sa.Integer(), nullable=False),
    sa.Column('summary', sa.JSON(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['actor_id'], ['account.id'], name=op.f('fk_what_if_actor_id_account')),
    sa.ForeignKeyConstraint(['draw_id'], ['draw.id'], name=op.f('fk_what_if_draw_id_draw')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_what_if')),
    sa.UniqueConstraint('draw_id', 'number', name=op.f('uq_what_if_draw_id_number'))
    )
    with op.batch_alter_table('what_if', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_what_if_draw_id'), ['draw_id'], unique=False)

    op.create_table('name_view',
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('account_id', sa.String(length=16), nullable=False),
    sa.Column('purpose', sa.String(length=64), nullable=False),
    sa.Column('at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_name_view_account_id_account')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_name_view_seat_id_seat')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_name_view'))
    )
    with op.batch_alter_table('name_view', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_name_view_seat_id'), ['seat_id'], unique=False)

    op.create_table('case_sheet',
    sa.Column('case_file_id', sa.String(length=16), nullable=False),
    sa.Column('supersedes_id', sa.String(length=16), nullable=True),
    sa.Column('sitting_id', sa.String(length=16), nullable=False),
    sa.Column('seat_id', sa.String(length=16), nullable=False),
    sa.Column('form_version_id', sa.String(length=16), nullable=False),
    sa.Column('instrument', sa.JSON(), nullable=False),
    sa.Column('instrument_digest', sa.String(length=64), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=64), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('entries', sa.JSON(), nullable=False),
    sa.Column('marked', app.db.Exact(length=40), nullable=True),
    sa.Column('saved_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('sealed_at', app.db.Moment(timezone=True), nullable=True),
    sa.Column('receipt', sa.String(length=64), nullable=True),
    sa.Column('receipt_seq', sa.Integer(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.CheckConstraint("state IN ('draft', 'sealed', 'superseded')", name=op.f('ck_case_sheet_state')),
    sa.ForeignKeyConstraint(['case_file_id'], ['case_file.id'], name=op.f('fk_case_sheet_case_file_id_case_file')),
    sa.ForeignKeyConstraint(['form_version_id'], ['form_version.id'], name=op.f('fk_case_sheet_form_version_id_form_version')),
    sa.ForeignKeyConstraint(['seat_id'], ['seat.id'], name=op.f('fk_case_sheet_seat_id_seat')),
    sa.ForeignKeyConstraint(['sitting_id'], ['sitting.id'], name=op.f('fk_case_sheet_sitting_id_sitting')),
    sa.ForeignKeyConstraint(['supersedes_id'], ['case_sheet.id'], name=op.f('fk_case_sheet_supersedes_id_case_sheet')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_case_sheet')),
    sa.UniqueConstraint('case_file_id', 'seat_id', 'revision', name=op.f('uq_case_sheet_case_file_id_seat_id_revision'))
    )
    with op.batch_alter_table('case_sheet', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_case_sheet_case_file_id'), ['case_file_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_case_sheet_seat_id'), ['seat_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_case_sheet_sitting_id'), ['sitting_id'], unique=False)

    op.create_table('absence_undone',
    sa.Column('sheet_id', sa.String(length=16), nullable=False),
    sa.Column('absence_reason', sa.Text(), nullable=False),
    sa.Column('absent_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('undone_by', sa.String(length=16), nullable=True),
    sa.Column('undone_at', app.db.Moment(timezone=True), nullable=False),
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('salt', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['sheet_id'], ['sheet.id'], name=op.f('fk_absence_undone_sheet_id_sheet')),
    sa.ForeignKeyConstraint(['undone_by'], ['account.id'], name=op.f('fk_absence_undone_undone_by_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_absence_undone'))
    )
    with op.batch_alter_table('absence_undone', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_absence_undone_sheet_id'), ['sheet_id'], unique=False)

    with op.batch_alter_table('challenge', schema=None) as batch_op:
        batch_op.add_column(sa.Column('on_behalf_of', sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column('answer', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('answered_at', app.db.Moment(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('answer_by', sa.String(length=16), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_challenge_answer_by_account'), 'account', ['answer_by'], ['id'])

    with op.batch_alter_table('employment', schema=None) as batch_op:
        batch_op.add_column(sa.Column('basis', sa.String(length=200), nullable=True))

    with op.batch_alter_table('interest', schema=None) as batch_op:
        batch_op.add_column(sa.Column('detail', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('head_id', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('other_name', sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column('proposed', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('proposed_by', sa.String(length=16), nullable=True))
        batch_op.add_column(sa.Column('proposed_at', app.db.Moment(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('proposal_reason', sa.Text(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_interest_proposed_by_account'), 'account', ['proposed_by'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_interest_head_id_county_head'), 'county_head', ['head_id'], ['id'])

    with op.batch_alter_table('report', schema=None) as batch_op:
        batch_op.add_column(sa.Column('made_with', sa.String(length=64), nullable=True))

    with op.batch_alter_table('round', schema=None) as batch_op:
        batch_op.add_column(sa.Column('note_en', sa.Text(), nullable=True))

    with op.batch_alter_table('statement', schema=None) as batch_op:
        batch_op.add_column(sa.Column('unconfirmed', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('unconfirmed_note', sa.Text(), nullable=True))

    with op.batch_alter_table('subject', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column('parent_code', sa.String(length=64), nullable=True))



def downgrade() -> None:
    with op.batch_alter_table('subject', schema=None) as batch_op:
        batch_op.drop_column('parent_code')
        batch_op.drop_column('kind')

    with op.batch_alter_table('statement', schema=None) as batch_op:
        batch_op.drop_column('unconfirmed_note')
        batch_op.drop_column('unconfirmed')

    with op.batch_alter_table('round', schema=None) as batch_op:
        batch_op.drop_column('note_en')

    with op.batch_alter_table('report', schema=None) as batch_op:
        batch_op.drop_column('made_with')

    with op.batch_alter_table('interest', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_interest_head_id_county_head'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_interest_proposed_by_account'), type_='foreignkey')
        batch_op.drop_column('proposal_reason')
        batch_op.drop_column('proposed_at')
        batch_op.drop_column('proposed_by')
        batch_op.drop_column('proposed')
        batch_op.drop_column('other_name')
        batch_op.drop_column('head_id')
        batch_op.drop_column('detail')

    with op.batch_alter_table('employment', schema=None) as batch_op:
        batch_op.drop_column('basis')

    with op.batch_alter_table('challenge', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_challenge_answer_by_account'), type_='foreignkey')
        batch_op.drop_column('answer_by')
        batch_op.drop_column('answered_at')
        batch_op.drop_column('answer')
        batch_op.drop_column('on_behalf_of')

    with op.batch_alter_table('absence_undone', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_absence_undone_sheet_id'))

    op.drop_table('absence_undone')
    with op.batch_alter_table('case_sheet', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_case_sheet_sitting_id'))
        batch_op.drop_index(batch_op.f('ix_case_sheet_seat_id'))
        batch_op.drop_index(batch_op.f('ix_case_sheet_case_file_id'))

    op.drop_table('case_sheet')
    with op.batch_alter_table('name_view', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_name_view_seat_id'))

    op.drop_table('name_view')
    with op.batch_alter_table('what_if', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_what_if_draw_id'))

    op.drop_table('what_if')
    with op.batch_alter_table('vacancy', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_vacancy_root_id'))
        batch_op.drop_index(batch_op.f('ix_vacancy_purpose_key'))
        batch_op.drop_index(batch_op.f('ix_vacancy_draw_id'))

    op.drop_table('vacancy')
    with op.batch_alter_table('typing', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_typing_draw_id'))

    op.drop_table('typing')
    with op.batch_alter_table('order_item', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_order_item_draw_id'))

    op.drop_table('order_item')
    with op.batch_alter_table('observer_link', schema=None) as batch_op:
        batch_op.drop_index('ix_observer_link_one_live', sqlite_where=sa.text('ended_at IS NULL'), postgresql_where=sa.text('ended_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_observer_link_draw_id'))

    op.drop_table('observer_link')
    with op.batch_alter_table('given_mark', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_given_mark_subject_id'))

    op.drop_table('given_mark')
    op.drop_table('draw_opening')
    op.drop_table('draw_disclosure')
    op.drop_table('draw_abort')
    with op.batch_alter_table('dice_photo', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_dice_photo_draw_id'))

    op.drop_table('dice_photo')
    with op.batch_alter_table('cosignature', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_cosignature_draw_id'))

    op.drop_table('cosignature')
    op.drop_table('case_list')
    with op.batch_alter_table('case_file', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_case_file_subject_id'))

    op.drop_table('case_file')
    op.drop_table('call_plan')
    with op.batch_alter_table('tie_statement', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tie_statement_expert_id'))

    op.drop_table('tie_statement')
    with op.batch_alter_table('rule_change', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_rule_change_round_id'))
        batch_op.drop_index(batch_op.f('ix_rule_change_before_digest'))
        batch_op.drop_index(batch_op.f('ix_rule_change_after_digest'))

    op.drop_table('rule_change')
    with op.batch_alter_table('residence', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_residence_expert_id'))

    op.drop_table('residence')
    with op.batch_alter_table('reset_request', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_reset_request_account_id'))

    op.drop_table('reset_request')
    op.drop_table('supervising_body')
    op.drop_table('request_template')
    with op.batch_alter_table('paper_head', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_paper_head_account_id'))

    op.drop_table('paper_head')
    with op.batch_alter_table('envelope', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_envelope_account_id'))

    op.drop_table('envelope')
    with op.batch_alter_table('device_key', schema=None) as batch_op:
        batch_op.drop_index('ix_device_key_one_active', sqlite_where=sa.text('revoked_at IS NULL'), postgresql_where=sa.text('revoked_at IS NULL'))
        batch_op.drop_index(batch_op.f('ix_device_key_account_id'))

    op.drop_table('device_key')
    with op.batch_alter_table('county_head', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_county_head_region_code'))

    op.drop_table('county_head')
    with op.batch_alter_table('contractor', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_contractor_region_code'))

    op.drop_table('contractor')
